-- Batch times and waiting records over time. Grain: a step of step_seconds that has a heartbeat; a step without one has
-- no row. Parameters: hours (how far back), step_seconds. Reads only.
SELECT date_bin(make_interval(secs => %(step_seconds)s::double precision), p.slot_start, timestamptz 'epoch') AS step_start,
       percentile_disc(0.5) WITHIN GROUP (ORDER BY batch.seconds) AS median_seconds,
       max(batch.seconds) AS longest_seconds,
       max(p.lag_records) AS lag_records
FROM report.stream_progress AS p
LEFT JOIN LATERAL unnest(p.batch_seconds) AS batch (seconds) ON true
WHERE p.slot_start > now() - make_interval(hours => %(hours)s::integer)
GROUP BY step_start
ORDER BY step_start
