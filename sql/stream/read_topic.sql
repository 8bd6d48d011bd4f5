-- What was noted of a topic incarnation. Grain: a topic id. Parameters: topic_id.
SELECT cluster_id, topic FROM stream.topic WHERE topic_id = %(topic_id)s::uuid
