-- How a supervised process is. Grain: 30 s and process; the first sample of these 30 s stays.
-- Parameters: process, state, pid, started_at, memory_bytes (null: does not run). A rerun changes nothing.
INSERT INTO stream.process_sample (slot_start, process, state, pid, started_at, memory_bytes)
VALUES (date_bin('30 seconds', clock_timestamp(), timestamptz 'epoch'), %(process)s, %(state)s, %(pid)s::integer,
        %(started_at)s::timestamptz, %(memory_bytes)s::bigint)
ON CONFLICT (slot_start, process) DO NOTHING
