-- The newest audits that had ended at a moment. Grain: an audit. Parameters: judged_at (the moment), most (rows).
-- Reads only.
SELECT audit_id, audited_from, audited_until, status, hours_checked, cells_compared, cells_differing, estimates,
       estimates_beyond_bound, finished_at, run_label
FROM quality.audit
WHERE finished_at <= %(judged_at)s::timestamptz
ORDER BY audit_id DESC
LIMIT %(most)s::integer
