-- depends: 0014.daily-unions
-- Samples of the supervised processes, so that the page Stream shows all of them and not only those that keep a lease.

SET LOCAL ROLE footfall_owner;

CREATE TABLE stream.process_sample (
    slot_start   timestamptz NOT NULL CHECK (extract(epoch FROM slot_start)::bigint % 30 = 0),
    process      text NOT NULL,
    state        text NOT NULL CHECK (state IN ('running', 'starting', 'down')),
    pid          integer,
    started_at   timestamptz,
    memory_bytes bigint CHECK (memory_bytes >= 0),
    PRIMARY KEY (slot_start, process),
    CHECK ((state = 'running') = (pid IS NOT NULL))
);
COMMENT ON TABLE stream.process_sample IS 'How the processes under the supervisor were, every 30 s; a slot that is missing was not looked at. Kept for two days.';
COMMENT ON COLUMN stream.process_sample.slot_start IS 'Start of the 30 s by the database''s clock, UTC.';
COMMENT ON COLUMN stream.process_sample.process IS 'Which one.';
COMMENT ON COLUMN stream.process_sample.state IS 'running, starting or down, as the supervisor says.';
COMMENT ON COLUMN stream.process_sample.pid IS 'Process id on its host; null while it does not run.';
COMMENT ON COLUMN stream.process_sample.started_at IS 'When that process started, as the kernel has it.';
COMMENT ON COLUMN stream.process_sample.memory_bytes IS 'Memory it held, with its children, in bytes; null while it does not run.';
GRANT SELECT ON stream.process_sample TO footfall_writer, footfall_reporter;
GRANT INSERT, DELETE ON stream.process_sample TO footfall_writer;

CREATE VIEW report.process_sample AS
SELECT slot_start, process, state, pid, started_at, memory_bytes FROM stream.process_sample;
COMMENT ON VIEW report.process_sample IS 'How the processes under the supervisor were, every 30 s of the last two days. A slot that is missing was not looked at: unknown. Filter by slot_start.';
COMMENT ON COLUMN report.process_sample.slot_start IS 'Start of the 30 s.';
COMMENT ON COLUMN report.process_sample.process IS 'Which one.';
COMMENT ON COLUMN report.process_sample.state IS 'running, starting or down, as the supervisor says.';
COMMENT ON COLUMN report.process_sample.pid IS 'Process id on its host; null while it does not run.';
COMMENT ON COLUMN report.process_sample.started_at IS 'When that process started.';
COMMENT ON COLUMN report.process_sample.memory_bytes IS 'Memory it held, with its children, in bytes; null while it does not run.';
GRANT SELECT ON report.process_sample TO footfall_reporter, footfall_reader;

-- As before, with what the samples add: two samples in a row may be missing before a process counts as unknown.
CREATE OR REPLACE VIEW report.process AS
WITH day AS MATERIALIZED (
    SELECT * FROM stream.process_sample WHERE slot_start > now() - interval '24 hours'
), sampled AS (
    SELECT newest.process,
           CASE WHEN newest.slot_start > clock_timestamp() - interval '120 seconds' THEN newest.state END AS state,
           newest.pid, newest.started_at, newest.memory_bytes, starts.ended_24h
    FROM (SELECT DISTINCT ON (process) * FROM day ORDER BY process, slot_start DESC) AS newest
    JOIN (SELECT process, greatest(0, count(DISTINCT started_at) - 1) AS ended_24h FROM day GROUP BY process) AS starts
        USING (process)
)
SELECT 'stream driver' AS process,
       CASE WHEN now_open.launch_id IS NULL THEN 'down'
            WHEN l.state IN ('counting', 'idle') AND l.heartbeat_at > clock_timestamp() - interval '30 seconds' THEN 'running'
            WHEN l.state IN ('starting', 'waiting') THEN l.state
            ELSE 'silent' END AS state,
       now_open.pid, coalesce(now_open.launched_at, last_ended.ended_at) AS since,
       CASE WHEN now_open.launch_id IS NOT NULL THEN
           (SELECT p.memory_bytes FROM stream.progress AS p
            WHERE p.slot_start > clock_timestamp() - interval '40 seconds' ORDER BY p.slot_start DESC LIMIT 1)
       END AS memory_bytes,
       (SELECT count(*) FROM stream.launch AS e
        WHERE e.job = 'traffic_stream' AND e.ended_at > now() - interval '24 hours') AS ended_24h
FROM stream.lease AS l
LEFT JOIN LATERAL (
    SELECT launch_id, pid, launched_at FROM stream.launch
    WHERE job = 'traffic_stream' AND ended_at IS NULL ORDER BY launched_at DESC LIMIT 1
) AS now_open ON true
LEFT JOIN LATERAL (
    SELECT max(ended_at) AS ended_at FROM stream.launch WHERE job = 'traffic_stream'
) AS last_ended ON true
UNION ALL
SELECT 'log generator', CASE WHEN newest.ended_at IS NULL THEN 'running' ELSE 'ended' END,
       CASE WHEN newest.ended_at IS NULL THEN newest.pid END, coalesce(newest.ended_at, newest.launched_at), NULL,
       (SELECT count(*) FROM stream.launch AS e
        WHERE e.job = 'log_generator' AND e.ended_at > now() - interval '24 hours')
FROM (SELECT pid, launched_at, ended_at FROM stream.launch
      WHERE job = 'log_generator' ORDER BY launched_at DESC LIMIT 1) AS newest
UNION ALL
SELECT 'Kafka broker', CASE WHEN s.state IN ('down', 'starting') THEN s.state
                            WHEN l.heartbeat_at <= clock_timestamp() - interval '30 seconds' THEN coalesce(s.state, 'unknown')
                            WHEN l.lag_records IS NULL THEN 'silent' ELSE 'running' END,
       s.pid, s.started_at, s.memory_bytes, s.ended_24h
FROM stream.lease AS l
LEFT JOIN sampled AS s ON s.process = 'Kafka broker'
UNION ALL
SELECT 'Postgres', 'running', s.pid, pg_postmaster_start_time(), s.memory_bytes, s.ended_24h
FROM (SELECT) AS here
LEFT JOIN sampled AS s ON s.process = 'Postgres'
UNION ALL
SELECT s.process, coalesce(s.state, 'unknown'), s.pid, s.started_at, s.memory_bytes, s.ended_24h
FROM sampled AS s
WHERE s.process LIKE 'Airflow %';
COMMENT ON VIEW report.process IS 'The processes as the lease, the launches and the supervisor''s samples show them.';
COMMENT ON COLUMN report.process.memory_bytes IS 'Memory it held when last looked at, with its children, in bytes; null when not known here.';
COMMENT ON COLUMN report.process.ended_24h IS 'How often it ended in the last 24 hours, by its launches or by the starts that samples saw; null when not known here.';

RESET ROLE;
