-- Launches of a job that have not been seen to end, the newest first. Grain: a launch.
-- Parameters: job. A rerun reads again.
SELECT launch_id::text, job, host, pid, process_started_at, epoch, log_path, ended_at, end_reason,
       extract(epoch FROM clock_timestamp() - launched_at)::double precision AS age_seconds
FROM stream.launch
WHERE job = %(job)s AND ended_at IS NULL
ORDER BY launched_at DESC
