-- Late lines brought the window that opened an incident back into its band: it was none.
-- Grain: an incident. Parameters: anomaly_id. A rerun changes nothing.
UPDATE stream.anomaly
SET state = 'dissolved', dissolved_at = clock_timestamp()
WHERE anomaly_id = %(anomaly_id)s AND state <> 'dissolved'
