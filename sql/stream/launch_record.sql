-- A launch is written down before its process exists, so that a launcher killed half-way leaves a trace.
-- Grain: a launch. Parameters: launch_id, job, host, log_path. A rerun opens the same launch anew.
INSERT INTO stream.launch (launch_id, job, host, log_path)
VALUES (%(launch_id)s::uuid, %(job)s, %(host)s, %(log_path)s)
ON CONFLICT (launch_id) DO UPDATE
SET host = excluded.host, log_path = excluded.log_path, pid = NULL, process_started_at = NULL, epoch = NULL,
    launched_at = clock_timestamp(), ended_at = NULL, end_reason = NULL
