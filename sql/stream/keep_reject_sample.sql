-- Keeps a sample of a rejected record, unless its hour and reason have a hundred. Grain: a record.
-- Parameters: topic_id, kafka_partition, kafka_offset, received_us (epoch microseconds), reason, source, seq, sample.
INSERT INTO stream.rejected_record
    (topic_id, kafka_partition, kafka_offset, received_at, reason, source, seq, sample)
SELECT %(topic_id)s::uuid, %(kafka_partition)s, %(kafka_offset)s, received.at, %(reason)s, %(source)s,
       %(seq)s, %(sample)s
FROM (SELECT to_timestamp(%(received_us)s / 1000000.0) AS at) AS received
WHERE (SELECT count(*)
       FROM stream.rejected_record AS kept
       WHERE kept.reason = %(reason)s
         AND kept.received_at >= date_trunc('hour', received.at, 'UTC')
         AND kept.received_at < date_trunc('hour', received.at, 'UTC') + interval '1 hour') < 100
ON CONFLICT (topic_id, kafka_partition, kafka_offset) DO NOTHING
