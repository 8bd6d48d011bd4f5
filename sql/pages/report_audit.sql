-- The newest audits that ended. Grain: an audit. Parameters: most (rows). Reads only.
SELECT audit_id, audited_from, audited_until, status, hours_checked, cells_compared, cells_differing, estimates,
       estimates_beyond_bound, finished_at, run_label
FROM quality.audit
WHERE finished_at IS NOT NULL
ORDER BY audit_id DESC
LIMIT %(most)s::integer
