-- Keys that are to be deleted: their period ended and they were made before a moment. Grain: a key.
-- Parameters: before. Reads only.
SELECT key_id
FROM stream.visitor_key
WHERE deleted_at IS NULL AND period_end < %(before)s AND made_at < %(before)s
ORDER BY key_id
