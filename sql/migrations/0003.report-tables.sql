-- depends: 0002.stream-tables
-- Published reports. A revision is never changed: late data adds the next one, and hour_revision says what moved.

SET LOCAL ROLE footfall_owner;

-- The two rules that several views and the publishing SQL share.
CREATE FUNCTION report.hour_closes_at(hour_start timestamptz) RETURNS timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN hour_start + interval '1 hour 5 minutes';
COMMENT ON FUNCTION report.hour_closes_at IS 'When an hour is reported first: 5 minutes after its end, so that ordinary delays are in.';

CREATE FUNCTION report.mean_latency_ms(latency_us_sum numeric, latency_count numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN round(latency_us_sum / nullif(latency_count, 0) / 1000, 3);
COMMENT ON FUNCTION report.mean_latency_ms IS 'Mean latency in milliseconds of a sum in microseconds over a count; null when nothing was measured.';

CREATE TABLE report.hour_revision (
    site                text NOT NULL,
    hour_start          timestamptz NOT NULL CHECK (date_trunc('hour', hour_start, 'UTC') = hour_start),
    revision            integer NOT NULL CHECK (revision >= 1),
    cause               text NOT NULL CHECK (cause IN ('first report', 'late data', 'corrected data')),
    hits_delta          bigint NOT NULL,
    bytes_sent_delta    bigint NOT NULL,
    client_errors_delta bigint NOT NULL,
    server_errors_delta bigint NOT NULL,
    pages_moved         integer NOT NULL CHECK (pages_moved >= 0),
    from_ledger_id      bigint,
    ledger_id           bigint NOT NULL,
    made_at             timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (site, hour_start, revision),
    CHECK ((revision = 1) = (cause = 'first report')),
    CHECK ((revision = 1) = (from_ledger_id IS NULL))
);
CREATE INDEX ON report.hour_revision (made_at);
COMMENT ON TABLE report.hour_revision IS 'Every revision of every hour report: what moved against the revision before, and why. Append-only.';
COMMENT ON COLUMN report.hour_revision.site IS 'Which site.';
COMMENT ON COLUMN report.hour_revision.hour_start IS 'Start of the UTC hour [start, start + 1 h).';
COMMENT ON COLUMN report.hour_revision.revision IS '1 is the first report of the hour; each change of its numbers adds one.';
COMMENT ON COLUMN report.hour_revision.cause IS 'first report; late data: lines of this hour came after the report; corrected data: numbers went down or moved between pages.';
COMMENT ON COLUMN report.hour_revision.hits_delta IS 'Hits of this revision minus hits of the one before (all of them for revision 1).';
COMMENT ON COLUMN report.hour_revision.bytes_sent_delta IS 'Bytes sent, the same way.';
COMMENT ON COLUMN report.hour_revision.client_errors_delta IS 'Answers with status 4xx, the same way.';
COMMENT ON COLUMN report.hour_revision.server_errors_delta IS 'Answers with status 5xx, the same way.';
COMMENT ON COLUMN report.hour_revision.pages_moved IS 'Number of pages whose numbers differ from the revision before.';
COMMENT ON COLUMN report.hour_revision.from_ledger_id IS 'Ledger position the revision before was known to be right up to; null for revision 1.';
COMMENT ON COLUMN report.hour_revision.ledger_id IS 'Last row of the ledger this revision includes.';
COMMENT ON COLUMN report.hour_revision.made_at IS 'When it was published.';

CREATE TABLE report.hour_checked (
    site       text NOT NULL,
    hour_start timestamptz NOT NULL,
    revision   integer NOT NULL,
    ledger_id  bigint NOT NULL,
    checked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (site, hour_start),
    FOREIGN KEY (site, hour_start, revision) REFERENCES report.hour_revision
) WITH (fillfactor = 50);
COMMENT ON TABLE report.hour_checked IS 'The latest revision of each hour, and the ledger position up to which it is known to be right.';
COMMENT ON COLUMN report.hour_checked.site IS 'Which site.';
COMMENT ON COLUMN report.hour_checked.hour_start IS 'Start of the UTC hour.';
COMMENT ON COLUMN report.hour_checked.revision IS 'Latest revision of the hour.';
COMMENT ON COLUMN report.hour_checked.ledger_id IS 'Last row of the ledger the hour was compared at; the hour is dirty when stream.touched_hour is newer.';
COMMENT ON COLUMN report.hour_checked.checked_at IS 'When it was compared.';

CREATE TABLE report.hourly_traffic (
    site           text NOT NULL,
    hour_start     timestamptz NOT NULL,
    revision       integer NOT NULL,
    hits           bigint NOT NULL CHECK (hits >= 0),
    bytes_sent     bigint NOT NULL CHECK (bytes_sent >= 0),
    client_errors  bigint NOT NULL CHECK (client_errors BETWEEN 0 AND hits),
    server_errors  bigint NOT NULL CHECK (server_errors BETWEEN 0 AND hits),
    latency_us_sum bigint NOT NULL CHECK (latency_us_sum >= 0),
    latency_count  bigint NOT NULL CHECK (latency_count BETWEEN 0 AND hits),
    ledger_id      bigint NOT NULL,
    made_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (site, hour_start, revision),
    FOREIGN KEY (site, hour_start, revision) REFERENCES report.hour_revision
);
COMMENT ON TABLE report.hourly_traffic IS 'Traffic of each site and UTC hour, by revision; report.current_hourly_traffic shows the latest. Append-only.';
COMMENT ON COLUMN report.hourly_traffic.site IS 'Which site.';
COMMENT ON COLUMN report.hourly_traffic.hour_start IS 'Start of the UTC hour [start, start + 1 h), by the time in the log line.';
COMMENT ON COLUMN report.hourly_traffic.revision IS 'Revision of the hour (report.hour_revision).';
COMMENT ON COLUMN report.hourly_traffic.hits IS 'Number of lines.';
COMMENT ON COLUMN report.hourly_traffic.bytes_sent IS 'Bytes sent.';
COMMENT ON COLUMN report.hourly_traffic.client_errors IS 'Answers with status 4xx.';
COMMENT ON COLUMN report.hourly_traffic.server_errors IS 'Answers with status 5xx.';
COMMENT ON COLUMN report.hourly_traffic.latency_us_sum IS 'Sum of latencies in microseconds, over the lines that have one.';
COMMENT ON COLUMN report.hourly_traffic.latency_count IS 'Number of lines that have a latency.';
COMMENT ON COLUMN report.hourly_traffic.ledger_id IS 'Last row of the ledger this report includes.';
COMMENT ON COLUMN report.hourly_traffic.made_at IS 'When it was published.';

CREATE TABLE report.hourly_page (
    site           text NOT NULL,
    hour_start     timestamptz NOT NULL,
    revision       integer NOT NULL,
    path           text NOT NULL,
    hits           bigint NOT NULL CHECK (hits >= 0),
    bytes_sent     bigint NOT NULL CHECK (bytes_sent >= 0),
    client_errors  bigint NOT NULL CHECK (client_errors BETWEEN 0 AND hits),
    server_errors  bigint NOT NULL CHECK (server_errors BETWEEN 0 AND hits),
    latency_us_sum bigint NOT NULL CHECK (latency_us_sum >= 0),
    latency_count  bigint NOT NULL CHECK (latency_count BETWEEN 0 AND hits),
    PRIMARY KEY (site, hour_start, revision, path),
    FOREIGN KEY (site, hour_start, revision) REFERENCES report.hour_revision
);
COMMENT ON TABLE report.hourly_page IS 'Traffic of each page and UTC hour, by revision. Append-only.';
COMMENT ON COLUMN report.hourly_page.site IS 'Which site.';
COMMENT ON COLUMN report.hourly_page.hour_start IS 'Start of the UTC hour.';
COMMENT ON COLUMN report.hourly_page.revision IS 'Revision of the hour.';
COMMENT ON COLUMN report.hourly_page.path IS 'Canonical path, without query string.';
COMMENT ON COLUMN report.hourly_page.hits IS 'Number of lines.';
COMMENT ON COLUMN report.hourly_page.bytes_sent IS 'Bytes sent.';
COMMENT ON COLUMN report.hourly_page.client_errors IS 'Answers with status 4xx.';
COMMENT ON COLUMN report.hourly_page.server_errors IS 'Answers with status 5xx.';
COMMENT ON COLUMN report.hourly_page.latency_us_sum IS 'Sum of latencies in microseconds, over the lines that have one.';
COMMENT ON COLUMN report.hourly_page.latency_count IS 'Number of lines that have a latency.';

CREATE TABLE report.hourly_country (
    site           text NOT NULL,
    hour_start     timestamptz NOT NULL,
    revision       integer NOT NULL,
    country        text NOT NULL,
    hits           bigint NOT NULL CHECK (hits >= 0),
    bytes_sent     bigint NOT NULL CHECK (bytes_sent >= 0),
    client_errors  bigint NOT NULL CHECK (client_errors BETWEEN 0 AND hits),
    server_errors  bigint NOT NULL CHECK (server_errors BETWEEN 0 AND hits),
    latency_us_sum bigint NOT NULL CHECK (latency_us_sum >= 0),
    latency_count  bigint NOT NULL CHECK (latency_count BETWEEN 0 AND hits),
    PRIMARY KEY (site, hour_start, revision, country),
    FOREIGN KEY (site, hour_start, revision) REFERENCES report.hour_revision
);
COMMENT ON TABLE report.hourly_country IS 'Traffic of each country and UTC hour, by revision. Append-only.';
COMMENT ON COLUMN report.hourly_country.site IS 'Which site.';
COMMENT ON COLUMN report.hourly_country.hour_start IS 'Start of the UTC hour.';
COMMENT ON COLUMN report.hourly_country.revision IS 'Revision of the hour.';
COMMENT ON COLUMN report.hourly_country.country IS 'ISO 3166 alpha-2 country where the address is registered, empty when unknown.';
COMMENT ON COLUMN report.hourly_country.hits IS 'Number of lines.';
COMMENT ON COLUMN report.hourly_country.bytes_sent IS 'Bytes sent.';
COMMENT ON COLUMN report.hourly_country.client_errors IS 'Answers with status 4xx.';
COMMENT ON COLUMN report.hourly_country.server_errors IS 'Answers with status 5xx.';
COMMENT ON COLUMN report.hourly_country.latency_us_sum IS 'Sum of latencies in microseconds, over the lines that have one.';
COMMENT ON COLUMN report.hourly_country.latency_count IS 'Number of lines that have a latency.';

CREATE TABLE report.hourly_status (
    site           text NOT NULL,
    hour_start     timestamptz NOT NULL,
    revision       integer NOT NULL,
    status_class   smallint NOT NULL,
    hits           bigint NOT NULL CHECK (hits >= 0),
    bytes_sent     bigint NOT NULL CHECK (bytes_sent >= 0),
    latency_us_sum bigint NOT NULL CHECK (latency_us_sum >= 0),
    latency_count  bigint NOT NULL CHECK (latency_count BETWEEN 0 AND hits),
    PRIMARY KEY (site, hour_start, revision, status_class),
    FOREIGN KEY (site, hour_start, revision) REFERENCES report.hour_revision
);
COMMENT ON TABLE report.hourly_status IS 'Traffic of each status class and UTC hour, by revision. Append-only.';
COMMENT ON COLUMN report.hourly_status.site IS 'Which site.';
COMMENT ON COLUMN report.hourly_status.hour_start IS 'Start of the UTC hour.';
COMMENT ON COLUMN report.hourly_status.revision IS 'Revision of the hour.';
COMMENT ON COLUMN report.hourly_status.status_class IS 'First digit of the status: 1 to 5.';
COMMENT ON COLUMN report.hourly_status.hits IS 'Number of lines.';
COMMENT ON COLUMN report.hourly_status.bytes_sent IS 'Bytes sent.';
COMMENT ON COLUMN report.hourly_status.latency_us_sum IS 'Sum of latencies in microseconds, over the lines that have one.';
COMMENT ON COLUMN report.hourly_status.latency_count IS 'Number of lines that have a latency.';

CREATE TABLE report.daily_traffic (
    site           text NOT NULL,
    day_start      timestamptz NOT NULL CHECK (date_trunc('day', day_start, 'UTC') = day_start),
    revision       integer NOT NULL CHECK (revision >= 1),
    hours          smallint NOT NULL CHECK (hours BETWEEN 1 AND 24),
    hits           bigint NOT NULL CHECK (hits >= 0),
    bytes_sent     bigint NOT NULL CHECK (bytes_sent >= 0),
    client_errors  bigint NOT NULL CHECK (client_errors BETWEEN 0 AND hits),
    server_errors  bigint NOT NULL CHECK (server_errors BETWEEN 0 AND hits),
    latency_us_sum bigint NOT NULL CHECK (latency_us_sum >= 0),
    latency_count  bigint NOT NULL CHECK (latency_count BETWEEN 0 AND hits),
    ledger_id      bigint NOT NULL,
    made_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (site, day_start, revision)
);
COMMENT ON TABLE report.daily_traffic IS 'Sums of the hour reports of each site and UTC day, by revision. Append-only.';
COMMENT ON COLUMN report.daily_traffic.site IS 'Which site.';
COMMENT ON COLUMN report.daily_traffic.day_start IS 'Start of the UTC day [start, start + 24 h).';
COMMENT ON COLUMN report.daily_traffic.revision IS '1 is the first report of the day; each change of its numbers adds one.';
COMMENT ON COLUMN report.daily_traffic.hours IS 'Number of hours with a report, that is with traffic.';
COMMENT ON COLUMN report.daily_traffic.hits IS 'Number of lines.';
COMMENT ON COLUMN report.daily_traffic.bytes_sent IS 'Bytes sent.';
COMMENT ON COLUMN report.daily_traffic.client_errors IS 'Answers with status 4xx.';
COMMENT ON COLUMN report.daily_traffic.server_errors IS 'Answers with status 5xx.';
COMMENT ON COLUMN report.daily_traffic.latency_us_sum IS 'Sum of latencies in microseconds, over the lines that have one.';
COMMENT ON COLUMN report.daily_traffic.latency_count IS 'Number of lines that have a latency.';
COMMENT ON COLUMN report.daily_traffic.ledger_id IS 'Largest ledger_id of the hour reports it adds up.';
COMMENT ON COLUMN report.daily_traffic.made_at IS 'When it was published.';

CREATE VIEW report.current_hourly_traffic AS
SELECT r.site, r.hour_start, r.revision, r.hits, r.bytes_sent, r.client_errors, r.server_errors,
       r.latency_us_sum, r.latency_count, report.mean_latency_ms(r.latency_us_sum, r.latency_count) AS mean_latency_ms,
       r.ledger_id, r.made_at
FROM report.hour_checked AS h
JOIN report.hourly_traffic AS r USING (site, hour_start, revision);
COMMENT ON VIEW report.current_hourly_traffic IS 'Traffic of each site and UTC hour: the latest revision.';

CREATE VIEW report.current_hourly_page AS
SELECT r.site, r.hour_start, r.revision, r.path, r.hits, r.bytes_sent, r.client_errors, r.server_errors,
       r.latency_us_sum, r.latency_count, report.mean_latency_ms(r.latency_us_sum, r.latency_count) AS mean_latency_ms
FROM report.hour_checked AS h
JOIN report.hourly_page AS r USING (site, hour_start, revision);
COMMENT ON VIEW report.current_hourly_page IS 'Traffic of each page and UTC hour: the latest revision.';

CREATE VIEW report.current_hourly_country AS
SELECT r.site, r.hour_start, r.revision, r.country, r.hits, r.bytes_sent, r.client_errors, r.server_errors,
       r.latency_us_sum, r.latency_count, report.mean_latency_ms(r.latency_us_sum, r.latency_count) AS mean_latency_ms
FROM report.hour_checked AS h
JOIN report.hourly_country AS r USING (site, hour_start, revision);
COMMENT ON VIEW report.current_hourly_country IS 'Traffic of each country and UTC hour: the latest revision.';

CREATE VIEW report.current_hourly_status AS
SELECT r.site, r.hour_start, r.revision, r.status_class, r.hits, r.bytes_sent,
       r.latency_us_sum, r.latency_count, report.mean_latency_ms(r.latency_us_sum, r.latency_count) AS mean_latency_ms
FROM report.hour_checked AS h
JOIN report.hourly_status AS r USING (site, hour_start, revision);
COMMENT ON VIEW report.current_hourly_status IS 'Traffic of each status class and UTC hour: the latest revision.';

CREATE VIEW report.current_daily_traffic AS
SELECT DISTINCT ON (d.site, d.day_start)
       d.site, d.day_start, d.revision, d.hours, d.hits, d.bytes_sent, d.client_errors, d.server_errors,
       d.latency_us_sum, d.latency_count, report.mean_latency_ms(d.latency_us_sum, d.latency_count) AS mean_latency_ms,
       d.ledger_id, d.made_at
FROM report.daily_traffic AS d
ORDER BY d.site, d.day_start, d.revision DESC;
COMMENT ON VIEW report.current_daily_traffic IS 'Traffic of each site and UTC day: the latest revision.';

-- A column of a view means what the column of the same name means in the table it comes from.
DO $$
DECLARE
    uncommented record;
BEGIN
    FOR uncommented IN
        SELECT v.attrelid, v.attname, col_description(t.attrelid, t.attnum) AS comment
        FROM pg_catalog.pg_class AS c
        JOIN pg_catalog.pg_attribute AS v ON v.attrelid = c.oid AND v.attnum > 0
        JOIN pg_catalog.pg_attribute AS t
            ON t.attrelid = to_regclass('report.' || substr(c.relname, length('current_') + 1)) AND t.attname = v.attname
        WHERE c.relnamespace = 'report'::regnamespace AND c.relkind = 'v' AND c.relname LIKE 'current\_%'
    LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', uncommented.attrelid::regclass, uncommented.attname,
                       uncommented.comment);
    END LOOP;
END
$$;
COMMENT ON COLUMN report.current_hourly_traffic.mean_latency_ms IS 'Mean latency in milliseconds over the lines that have one; null when none has.';
COMMENT ON COLUMN report.current_hourly_page.mean_latency_ms IS 'Mean latency in milliseconds over the lines that have one; null when none has.';
COMMENT ON COLUMN report.current_hourly_country.mean_latency_ms IS 'Mean latency in milliseconds over the lines that have one; null when none has.';
COMMENT ON COLUMN report.current_hourly_status.mean_latency_ms IS 'Mean latency in milliseconds over the lines that have one; null when none has.';
COMMENT ON COLUMN report.current_daily_traffic.mean_latency_ms IS 'Mean latency in milliseconds over the lines that have one; null when none has.';

GRANT SELECT ON ALL TABLES IN SCHEMA report TO footfall_reporter, footfall_reader;
GRANT INSERT ON report.hour_revision, report.hour_checked, report.hourly_traffic, report.hourly_page,
    report.hourly_country, report.hourly_status, report.daily_traffic TO footfall_reporter;
GRANT UPDATE ON report.hour_checked TO footfall_reporter;

RESET ROLE;
