-- What became of an alert that was taken on. Grain: an incident and state.
-- Parameters: anomaly_id, state, failure (null: it was handed over). A rerun writes the same with a newer time.
UPDATE report.alert
SET sent_at = CASE WHEN %(failure)s::text IS NULL THEN clock_timestamp() END, failure = %(failure)s
WHERE anomaly_id = %(anomaly_id)s AND state = %(state)s
