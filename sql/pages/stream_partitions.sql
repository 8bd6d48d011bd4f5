-- Lag by partition of the topic's newest incarnation. Grain: a partition. Parameters: none. Reads only.
SELECT topic, topic_id, first_seen_at, kafka_partition, next_offset, end_offset, lag_records, asked_at
FROM report.partition
WHERE first_seen_at = (SELECT max(first_seen_at) FROM report.partition)
ORDER BY kafka_partition
