-- depends: 0015.processes
-- Samples of rejected records show how a record is built and what in it is harmless. Those stored before could hold
-- user agents and query strings: they are emptied, their records stay counted.

SET LOCAL ROLE footfall_owner;

UPDATE stream.rejected_record SET sample = '';

COMMENT ON COLUMN stream.rejected_record.sample IS 'How the record is built: times, numbers, paths and names of fields as sent, of everything else its type or shape. Printable ASCII; no address, user agent or query string. Empty when it was stored before this rule.';
COMMENT ON VIEW report.rejected_sample IS 'Samples of rejected records: how they are built, without address, user agent or query string. A bounded number per batch and reason.';
COMMENT ON COLUMN report.rejected_sample.sample IS 'How the record is built: times, numbers, paths and names of fields as sent, of everything else its type or shape.';

RESET ROLE;
