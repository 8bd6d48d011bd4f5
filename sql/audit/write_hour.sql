-- What an audit says of one hour. Parameters: audit_id, site, hour_start, revision (null without a report),
-- verdict, cells_differing, reason. Append-only: an audit writes each hour once.
INSERT INTO quality.audit_hour (audit_id, site, hour_start, revision, verdict, cells_differing, reason)
VALUES (%(audit_id)s, %(site)s, %(hour_start)s, %(revision)s, %(verdict)s, %(cells_differing)s, %(reason)s)
