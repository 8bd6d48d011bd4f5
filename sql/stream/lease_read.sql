-- The lease and the age of its heartbeat. Grain: the one row. Parameters: none. A rerun reads again.
SELECT epoch, owner, desired_state, state, message, lag_records, records_per_second,
       extract(epoch FROM clock_timestamp() - heartbeat_at)::double precision AS heartbeat_age_seconds,
       extract(epoch FROM clock_timestamp() - last_batch_at)::double precision AS batch_age_seconds
FROM stream.lease
WHERE only_row
