-- The largest (smallest) bucket of an incident so far. Grain: an incident. Parameters: anomaly_id, peak.
-- A rerun writes the same.
UPDATE stream.anomaly SET peak = %(peak)s WHERE anomaly_id = %(anomaly_id)s AND state = 'open'
