-- Notes that a key's file was deleted. Grain: a key. Parameters: key_id, deleted_at. A rerun changes nothing.
UPDATE stream.visitor_key SET deleted_at = %(deleted_at)s WHERE key_id = %(key_id)s AND deleted_at IS NULL
