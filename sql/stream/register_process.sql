-- A launched process says who it is. Grain: a launch.
-- Parameters: launch_id, job, host, pid, process_started_at, log_path. A rerun by the same process changes nothing.
INSERT INTO stream.launch (launch_id, job, host, pid, process_started_at, log_path)
VALUES (%(launch_id)s::uuid, %(job)s, %(host)s, %(pid)s, %(process_started_at)s, %(log_path)s)
ON CONFLICT (launch_id) DO UPDATE
SET host = excluded.host, pid = excluded.pid, process_started_at = excluded.process_started_at
