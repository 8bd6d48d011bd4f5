-- Audits that ended without a word (killed, or the machine went down). Grain: an audit. Parameters: none.
-- Only for the holder of the lock: then nobody else runs one. A rerun finds none.
UPDATE quality.audit
SET status = 'broken', error = 'ended without a word', finished_at = clock_timestamp()
WHERE status = 'running'
