-- Where the records of a site's hour stand in Kafka. Grain: a range of offsets. Parameters: site, hour_start. Reads only.
SELECT topic, topic_id, kafka_partition, from_offset, until_offset, batches, consumed, accepted, rejected, duplicate
FROM report.evidence(%(site)s, %(hour_start)s)
