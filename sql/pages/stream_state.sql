-- How the stream job is: the small question that every page asks first. One row. Parameters: none. Reads only.
SELECT s.state, s.desired_state, s.message, s.epoch, s.started_at, s.heartbeat_at, s.heartbeat_age_seconds,
       s.last_batch_at, s.last_batch_age_seconds, s.lag_records, s.records_per_second, lag.caught_up_to,
       extract(epoch FROM clock_timestamp() - lag.caught_up_to)::double precision AS caught_up_age_seconds, s.last_ledger_id,
       ended.ended_at, ended.end_reason, open.launched_at AS restart_began_at, clock_timestamp() AS asked_at
FROM report.stream_status AS s
CROSS JOIN report.stream_lag AS lag
LEFT JOIN LATERAL (
    SELECT ended_at, end_reason
    FROM report.stream_launch
    WHERE job = 'traffic_stream' AND ended_at IS NOT NULL
    ORDER BY ended_at DESC
    LIMIT 1
) AS ended ON true
LEFT JOIN LATERAL (
    SELECT launched_at
    FROM report.stream_launch
    WHERE job = 'traffic_stream' AND ended_at IS NULL
    ORDER BY launched_at DESC
    LIMIT 1
) AS open ON true
