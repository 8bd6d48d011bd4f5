-- One check: what it demands, how it stands, and its open incident. One row; none for a name that is no check. Grain: a check.
-- Parameters: site, suite, expectation, from_time, until_time (of the hours). Reads only.
SELECT e.suite, e.expectation, e.severity, e.owner, e.description, e.threshold, e.lowest, e.highest, e.rule,
       counted.passed, counted.failed, newest.passed AS newest_passed, newest.observed, newest.hour_start, newest.revision,
       newest.run_id, q.run_label, q.started_at, q.finished_at, q.gx_version, i.incident_id, i.opened_at,
       i.acknowledged_at, i.acknowledged_by, i.note
FROM quality.expectation AS e
LEFT JOIN LATERAL (
    SELECT count(DISTINCT r.hour_start) FILTER (WHERE r.passed) AS passed,
           count(DISTINCT r.hour_start) FILTER (WHERE NOT r.passed) AS failed
    FROM quality.result AS r
    WHERE r.site = %(site)s AND r.hour_start >= %(from_time)s::timestamptz AND r.hour_start < %(until_time)s::timestamptz
      AND (r.suite, r.expectation) = (e.suite, e.expectation)
) AS counted ON true
LEFT JOIN LATERAL (
    SELECT r.passed, r.observed, r.hour_start, r.revision, r.run_id
    FROM quality.result AS r
    WHERE r.site = %(site)s AND r.hour_start >= %(from_time)s::timestamptz AND r.hour_start < %(until_time)s::timestamptz
      AND (r.suite, r.expectation) = (e.suite, e.expectation)
    ORDER BY (r.passed IS NULL), r.run_id DESC, r.passed, r.hour_start DESC, r.revision DESC
    LIMIT 1
) AS newest ON true
LEFT JOIN quality.run AS q ON q.run_id = newest.run_id
LEFT JOIN quality.incident AS i
    ON (i.site, i.suite, i.expectation) = (%(site)s, e.suite, e.expectation) AND i.closed_at IS NULL
WHERE (e.suite, e.expectation) = (%(suite)s, %(expectation)s)
