-- Roles and schemas. Run by a role that may create roles; passwords are set elsewhere, never here.
-- Airflow keeps its metadata in another database under another role; neither is known here.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'footfall_owner') THEN
        CREATE ROLE footfall_owner NOLOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'footfall_writer') THEN
        CREATE ROLE footfall_writer LOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'footfall_reporter') THEN
        CREATE ROLE footfall_reporter LOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'footfall_reader') THEN
        CREATE ROLE footfall_reader LOGIN;
    END IF;
    EXECUTE format('GRANT footfall_owner TO %I', current_user);
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO footfall_writer, footfall_reporter, footfall_reader',
                   current_database());
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO footfall_writer, footfall_reporter', current_database());
    EXECUTE format('GRANT CREATE ON DATABASE %I TO footfall_owner', current_database());
END
$$;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE SCHEMA stream AUTHORIZATION footfall_owner;
CREATE SCHEMA report AUTHORIZATION footfall_owner;
CREATE SCHEMA quality AUTHORIZATION footfall_owner;
COMMENT ON SCHEMA stream IS 'What the stream job counted: buckets, ledger, positions. Written by footfall_writer.';
COMMENT ON SCHEMA report IS 'Live views and published reports with revisions. Written by footfall_reporter.';
COMMENT ON SCHEMA quality IS 'Great Expectations runs, their results, and the seal of each report revision.';

GRANT USAGE ON SCHEMA stream TO footfall_writer, footfall_reporter;
GRANT USAGE ON SCHEMA report, quality TO footfall_writer, footfall_reporter, footfall_reader;

ALTER ROLE footfall_writer SET search_path = pg_catalog;
ALTER ROLE footfall_reporter SET search_path = pg_catalog;
ALTER ROLE footfall_reader SET search_path = pg_catalog;
ALTER ROLE footfall_reader SET default_transaction_read_only = on;
ALTER ROLE footfall_reader SET statement_timeout = '30s';
ALTER ROLE footfall_writer SET idle_in_transaction_session_timeout = '60s';
ALTER ROLE footfall_reporter SET idle_in_transaction_session_timeout = '60s';
ALTER ROLE footfall_reader SET idle_in_transaction_session_timeout = '30s';
ALTER ROLE footfall_reader CONNECTION LIMIT 30;
