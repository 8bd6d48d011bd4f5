-- One launch. Grain: a launch, no row when the id is unknown.
-- Parameters: launch_id. A rerun reads again.
SELECT launch_id::text, job, host, pid, process_started_at, epoch, log_path, ended_at, end_reason,
       extract(epoch FROM clock_timestamp() - launched_at)::double precision AS age_seconds
FROM stream.launch
WHERE launch_id = %(launch_id)s::uuid
