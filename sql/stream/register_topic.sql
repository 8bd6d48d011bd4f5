-- A topic incarnation, noted once. Grain: a topic id. Parameters: topic_id, cluster_id, topic.
INSERT INTO stream.topic (topic_id, cluster_id, topic)
VALUES (%(topic_id)s::uuid, %(cluster_id)s, %(topic)s)
ON CONFLICT (topic_id) DO NOTHING
