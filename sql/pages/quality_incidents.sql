-- Incidents of a site, open ones first, and the hours whose reports failed meanwhile. Grain: an incident.
-- Parameters: site, most (rows). Reads only.
SELECT i.incident_id, i.suite, i.expectation, i.severity, i.opened_at, i.closed_at, i.acknowledged_at, i.acknowledged_by,
       i.note, failed.hours, failed.first_hour_start, failed.last_hour_start, failed.first_revision, failed.last_revision
FROM (
    SELECT *
    FROM quality.incident
    WHERE site = %(site)s
    ORDER BY closed_at DESC NULLS FIRST, opened_at DESC
    LIMIT %(most)s::integer
) AS i
LEFT JOIN LATERAL (
    SELECT count(DISTINCT r.hour_start) AS hours, min(r.hour_start) AS first_hour_start,
           max(r.hour_start) AS last_hour_start, min(r.revision) AS first_revision, max(r.revision) AS last_revision
    FROM quality.result AS r
    WHERE r.site = i.site AND (r.suite, r.expectation) = (i.suite, i.expectation) AND r.passed IS FALSE
      AND r.run_id >= i.opened_run_id AND (i.closed_run_id IS NULL OR r.run_id < i.closed_run_id)
) AS failed ON true
ORDER BY i.closed_at DESC NULLS FIRST, i.opened_at DESC
