-- The last row of the ledger, and whether anything was ever counted from another incarnation of the topic.
-- Grain: one row. Parameters: topic_id. Reads only.
SELECT coalesce(max(ledger_id), 0) AS ledger_id,
       coalesce(bool_or(topic_id <> %(topic_id)s::uuid), false) AS other_incarnations
FROM stream.ledger
