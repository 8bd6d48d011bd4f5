-- A launched process says why it ends. Grain: a launch. Parameters: launch_id, end_reason.
-- A rerun changes nothing: the first reason stays.
UPDATE stream.launch
SET ended_at = clock_timestamp(), end_reason = %(end_reason)s
WHERE launch_id = %(launch_id)s::uuid AND ended_at IS NULL
