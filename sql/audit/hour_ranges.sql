-- Where in Kafka the records of the hours from start until end_ stand. Grain: hour, topic, partition, contiguous range.
-- Parameters: start, end_ (half-open range of hour starts). Reads only.
SELECT o.hour_start, o.topic_id::text, o.kafka_partition, lower(span) AS from_offset, upper(span) AS until_offset
FROM stream.hour_offsets AS o
CROSS JOIN LATERAL unnest(o.offset_ranges) AS span
WHERE o.hour_start >= %(start)s AND o.hour_start < %(end_)s
ORDER BY o.hour_start, o.topic_id, o.kafka_partition, 4
