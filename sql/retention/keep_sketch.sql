-- Puts the united sketch of a site's hour into its first minute. Grain: site, hour, key and agent class.
-- Parameters: site, hour_start, key_id, agent_class, sketch. A rerun fails: the row is there.
INSERT INTO stream.visitor_sketch (site, minute_start, key_id, agent_class, sketch)
VALUES (%(site)s, %(hour_start)s, %(key_id)s, %(agent_class)s, %(sketch)s)
