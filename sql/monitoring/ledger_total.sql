-- What became of all records ever read. One row. Reads only.
SELECT consumed, accepted, rejected, duplicate, unsourced, lost
FROM report.ledger_total
