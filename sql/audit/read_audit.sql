-- The newest audit somebody asked for. Grain: an audit. Parameters: run_label. Reads only.
SELECT audit_id, audited_from, audited_until, status, hours_checked, hours_unchecked, records_read, offsets_gone,
       cells_compared, cells_differing, estimates, estimates_beyond_bound, visitors_error, visitors_error_bound,
       latency_error, notes, error,
       extract(epoch FROM finished_at - started_at)::double precision AS seconds
FROM quality.audit
WHERE run_label = %(run_label)s
ORDER BY audit_id DESC
LIMIT 1
