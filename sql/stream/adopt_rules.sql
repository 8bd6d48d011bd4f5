-- Notes that from now on another version of the agents' rules counts. Grain: an adoption. Parameters: rules_version.
-- The number comes from the ledger's own sequence: above all of its rows so far, below the next.
-- A rerun with the version in force adds nothing.
INSERT INTO stream.rules_adoption (ledger_id, rules_version)
SELECT nextval(pg_get_serial_sequence('stream.ledger', 'ledger_id')), %(rules_version)s
WHERE %(rules_version)s IS DISTINCT FROM (
    SELECT a.rules_version FROM stream.rules_adoption AS a ORDER BY a.ledger_id DESC LIMIT 1
)
