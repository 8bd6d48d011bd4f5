-- Notes where in Kafka the batch's lines of each hour stand. Grain: hour and partition. A rerun changes nothing.
-- Parameters: topic_id, kafka_partitions, hour_starts (epoch seconds), starts, untils (offsets [start, until);
-- arrays of the same length).
INSERT INTO stream.hour_offsets AS known (hour_start, topic_id, kafka_partition, offset_ranges)
SELECT to_timestamp(batch.hour_start), %(topic_id)s::uuid, batch.kafka_partition,
       range_agg(int8range(batch.start, batch.until))
FROM unnest(%(kafka_partitions)s::int[], %(hour_starts)s::bigint[], %(starts)s::bigint[], %(untils)s::bigint[])
     AS batch (kafka_partition, hour_start, start, until)
GROUP BY batch.hour_start, batch.kafka_partition
ON CONFLICT (hour_start, topic_id, kafka_partition) DO UPDATE
SET offset_ranges = known.offset_ranges + excluded.offset_ranges
