-- All keys that ever were. Grain: a key. Parameters: none. Reads only.
SELECT key_id, deleted_at FROM stream.visitor_key ORDER BY key_id
