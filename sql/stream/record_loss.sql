-- Offsets that Kafka no longer had before they were counted: a recorded fact.
-- Grain: a range. Parameters: topic_id, kafka_partition, start, until, reason.
INSERT INTO stream.lost_range (topic_id, kafka_partition, offsets, reason)
VALUES (%(topic_id)s::uuid, %(kafka_partition)s, int8range(%(start)s, %(until)s), %(reason)s)
