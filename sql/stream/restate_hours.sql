-- Has the next report look again at hours since a moment, because agents' classes changed. Grain: site and hour.
-- Parameters: since. The number comes from the ledger's own sequence: above all of its rows so far, below the next.
-- A rerun has them looked at once more; a report whose numbers stay gets no revision.
UPDATE stream.touched_hour
SET last_ledger_id = restated.ledger_id
FROM (SELECT nextval(pg_get_serial_sequence('stream.ledger', 'ledger_id')) AS ledger_id) AS restated
WHERE hour_start >= %(since)s
