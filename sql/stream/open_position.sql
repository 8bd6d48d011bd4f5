-- A partition met for the first time, at the first offset that exists for it.
-- Grain: a partition. Parameters: topic_id, kafka_partition, next_offset. A rerun changes nothing.
INSERT INTO stream.position (topic_id, kafka_partition, next_offset)
VALUES (%(topic_id)s::uuid, %(kafka_partition)s, %(next_offset)s)
ON CONFLICT (topic_id, kafka_partition) DO NOTHING
