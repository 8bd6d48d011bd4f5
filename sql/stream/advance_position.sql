-- Compare and set: the batch moves a partition on from exactly where it began, or touches nothing.
-- Grain: a partition. Parameters: topic_id, kafka_partition, start, until.
UPDATE stream.position
SET next_offset = %(until)s
WHERE topic_id = %(topic_id)s::uuid AND kafka_partition = %(kafka_partition)s AND next_offset = %(start)s
