-- A new launch takes the lease: every older epoch is fenced from here on.
-- Grain: the one row. Parameters: owner, message. A rerun takes yet another epoch.
UPDATE stream.lease
SET epoch = epoch + 1, owner = %(owner)s, state = 'starting', message = %(message)s,
    started_at = clock_timestamp(), heartbeat_at = clock_timestamp(),
    last_batch_seconds = NULL, lag_records = NULL, records_per_second = NULL
WHERE only_row
RETURNING epoch, desired_state
