-- What was counted of one topic incarnation, batch by batch. Grain: a row of the ledger. Parameters: topic_id.
-- Reads only; copied out, since there may be a million.
SELECT kafka_partition, lower(offsets) AS from_offset, upper(offsets) AS until_offset, ledger_id,
       (extract(epoch FROM committed_at) * 1000000)::bigint AS committed_us, accepted, duplicate
FROM stream.ledger
WHERE topic_id = %(topic_id)s::uuid
ORDER BY kafka_partition, lower(offsets)
