-- Notes a key whose file was written. Grain: a key. Parameters: key_id, period_start, period_end.
-- A rerun changes nothing.
INSERT INTO stream.visitor_key (key_id, period_start, period_end)
VALUES (%(key_id)s, %(period_start)s, %(period_end)s)
ON CONFLICT (key_id) DO NOTHING
