-- Sign of life, and what is wished of the job. Touches nothing when a newer launch holds the lease.
-- Grain: the one row. Parameters: epoch, state, message, lag_records (null: unknown), last_batch_at,
-- last_batch_seconds, caught_up_to, records_per_second (null: the last one stays). A rerun writes the same with a newer time.
UPDATE stream.lease
SET heartbeat_at = clock_timestamp(), state = %(state)s, message = %(message)s,
    last_batch_at = coalesce(%(last_batch_at)s, last_batch_at),
    last_batch_seconds = coalesce(%(last_batch_seconds)s, last_batch_seconds),
    lag_records = %(lag_records)s,
    caught_up_to = coalesce(%(caught_up_to)s, caught_up_to),
    records_per_second = coalesce(%(records_per_second)s, records_per_second)
WHERE only_row AND epoch = %(epoch)s
RETURNING desired_state
