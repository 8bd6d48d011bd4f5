-- One sketch of an hour that is being published. Parameters: site, hour_start, key_id, agent_class, sketch.
-- Runs after reports/collect_hours in its transaction, once an hour, key and agent class.
INSERT INTO pg_temp.publishing_visitor (site, hour_start, key_id, agent_class, sketch)
VALUES (%(site)s, %(hour_start)s, %(key_id)s, %(agent_class)s, %(sketch)s)
