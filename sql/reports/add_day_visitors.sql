-- The visitors of one key and agent class of a day that was just published. Grain: as report.daily_visitor.
-- Parameters: site, day_start, revision, key_id, agent_class, theta, hashes. Runs after reports/publish_days in its
-- transaction, once a day, key and agent class.
INSERT INTO report.daily_visitor (site, day_start, revision, key_id, agent_class, theta, hashes)
VALUES (%(site)s, %(day_start)s, %(revision)s, %(key_id)s, %(agent_class)s, %(theta)s, %(hashes)s::bigint[])
