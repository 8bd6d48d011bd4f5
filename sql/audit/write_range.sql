-- Offsets of one partition that an audit read, or that are gone. Parameters: audit_id, topic_id, kafka_partition,
-- state (read|gone), offset_ranges (multirange as text). Append-only: an audit writes each once.
INSERT INTO quality.audit_range (audit_id, topic_id, kafka_partition, state, offset_ranges)
VALUES (%(audit_id)s, %(topic_id)s::uuid, %(kafka_partition)s, %(state)s, %(offset_ranges)s::int8multirange)
