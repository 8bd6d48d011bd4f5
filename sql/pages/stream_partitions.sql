-- Lag by partition of the topic's newest incarnation. Grain: a partition. Parameters: none. Reads only.
--   end_offset  Kafka's end when it was asked; at least what has been counted since
SELECT topic, topic_id, first_seen_at, kafka_partition, next_offset,
       greatest(end_offset, next_offset) AS end_offset, lag_records, asked_at
FROM report.partition
WHERE first_seen_at = (SELECT max(first_seen_at) FROM report.partition)
ORDER BY kafka_partition
