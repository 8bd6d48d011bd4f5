-- The stream job: lease, heartbeat age, lag, rates. One row. Reads only.
SELECT state, desired_state, message, epoch, started_at, heartbeat_at, heartbeat_age_seconds, last_batch_at,
       last_batch_age_seconds, last_batch_seconds, lag_records, records_per_second, last_ledger_id,
       trend_error
FROM report.stream_status
