-- An audit ended. Grain: an audit. Parameters: audit_id and the columns of its outcome (error: null unless broken).
-- A rerun changes nothing: the first outcome stays.
UPDATE quality.audit
SET status = %(status)s, ledger_id = %(ledger_id)s, hours_checked = %(hours_checked)s,
    hours_unchecked = %(hours_unchecked)s, records_read = %(records_read)s, offsets_gone = %(offsets_gone)s,
    cells_compared = %(cells_compared)s, cells_differing = %(cells_differing)s, estimates = %(estimates)s,
    estimates_beyond_bound = %(estimates_beyond_bound)s, visitors_error = %(visitors_error)s,
    visitors_error_bound = %(visitors_error_bound)s, latency_error = %(latency_error)s, notes = %(notes)s,
    error = %(error)s, finished_at = clock_timestamp()
WHERE audit_id = %(audit_id)s AND status = 'running'
