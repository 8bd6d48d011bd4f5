-- One figure that differs. Parameters: audit_id, report, site, hour_start, key, figure, reported, recomputed.
-- Append-only: an audit writes each figure once.
INSERT INTO quality.audit_difference (audit_id, report, site, hour_start, key, figure, reported, recomputed)
VALUES (%(audit_id)s, %(report)s, %(site)s, %(hour_start)s, %(key)s, %(figure)s, %(reported)s, %(recomputed)s)
