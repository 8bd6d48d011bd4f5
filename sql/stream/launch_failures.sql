-- Launches of a job that ended lately without having been asked to. Grain: one row for the job.
-- Parameters: job, within_seconds. A rerun reads again.
-- Launches that stopped on a wish, caught up, or gave way to a newer one are not failures.
SELECT count(*) AS failures,
       coalesce(extract(epoch FROM clock_timestamp() - max(ended_at)), 0)::double precision AS seconds_since_last,
       coalesce((array_agg(end_reason ORDER BY ended_at DESC))[1], '') AS last_reason
FROM stream.launch
WHERE job = %(job)s
  AND ended_at > clock_timestamp() - make_interval(secs => %(within_seconds)s)
  AND end_reason !~ '^(stopped|a stop was wished|caught up|fenced|a newer launch|done)'
