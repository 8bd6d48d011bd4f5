-- One audit at a time: whether this session may run one. Grain: one row. Parameters: none.
-- Held until the session ends, however it ends. A rerun in the same session holds it once more.
SELECT pg_try_advisory_lock(hashtext('quality.audit')) AS free
