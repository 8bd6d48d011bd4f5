-- Where the records of a site's hour stand in Kafka, among others. Grain: a range of offsets.
-- Parameters: site, from_time (the hour). Reads only.
SELECT topic, topic_id, kafka_partition, from_offset, until_offset, batches, consumed, accepted, rejected, duplicate
FROM report.evidence(%(site)s, %(from_time)s::timestamptz)
ORDER BY kafka_partition, from_offset
