-- The version of the agents' rules that counts now, and the number in the ledger's sequence after which it does.
-- Grain: one row; none before the stream job first ran. Parameters: none. Reads only.
SELECT rules_version, ledger_id FROM stream.rules_adoption ORDER BY ledger_id DESC LIMIT 1
