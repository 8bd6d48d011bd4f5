-- How far each partition of a topic incarnation has been counted. Grain: a partition. Parameters: topic_id.
SELECT kafka_partition, next_offset FROM stream.position WHERE topic_id = %(topic_id)s::uuid
