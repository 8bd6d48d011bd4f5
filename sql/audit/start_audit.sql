-- An audit begins. Parameters: run_label, audited_from, audited_until. Returns its number; every call is another audit.
INSERT INTO quality.audit (run_label, audited_from, audited_until)
VALUES (%(run_label)s, %(audited_from)s, %(audited_until)s)
RETURNING audit_id
