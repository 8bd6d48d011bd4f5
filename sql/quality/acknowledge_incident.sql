-- Somebody takes an open incident on. Parameters: incident_id, acknowledged_by, note. Returns it; no row when it is
-- closed or unknown. A rerun replaces name and note.
UPDATE quality.incident
SET acknowledged_at = clock_timestamp(), acknowledged_by = %(acknowledged_by)s, note = %(note)s
WHERE incident_id = %(incident_id)s AND closed_at IS NULL
RETURNING incident_id
