-- The series is back in its band. Grain: an incident. Parameters: anomaly_id, closed_at (epoch seconds).
-- A rerun changes nothing: only what is open closes.
UPDATE stream.anomaly
SET state = 'closed', closed_at = to_timestamp(%(closed_at)s)
WHERE anomaly_id = %(anomaly_id)s AND state = 'open'
