-- Takes the sketches of a site's hour out of the table. Grain: minute, key and agent class.
-- Parameters: site, hour_start. A rerun finds what was put back.
DELETE FROM stream.visitor_sketch
WHERE site = %(site)s AND minute_start >= %(hour_start)s AND minute_start < %(hour_start)s + interval '1 hour'
RETURNING key_id, agent_class, sketch
