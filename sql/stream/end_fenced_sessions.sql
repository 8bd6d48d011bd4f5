-- Ends the database sessions of fenced launches, which may hang in a transaction.
-- Grain: a session. Parameters: application_name (of this launch's own sessions). A rerun finds none.
SELECT count(pg_terminate_backend(pid)) AS ended
FROM pg_stat_activity
WHERE usename = current_user AND datname = current_database()
  AND application_name LIKE 'footfall-stream-%%' AND application_name <> %(application_name)s
