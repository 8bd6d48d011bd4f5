-- What a batch read of one partition and what became of it. Grain: a batch and partition.
-- Parameters: topic_id, kafka_partition, start, until, consumed, accepted, rejected, duplicate, unsourced, epoch.
-- A rerun fails: ranges cannot overlap.
INSERT INTO stream.ledger
    (topic_id, kafka_partition, offsets, consumed, accepted, rejected, duplicate, unsourced, epoch)
VALUES
    (%(topic_id)s::uuid, %(kafka_partition)s, int8range(%(start)s, %(until)s), %(consumed)s, %(accepted)s,
     %(rejected)s, %(duplicate)s, %(unsourced)s, %(epoch)s)
RETURNING ledger_id
