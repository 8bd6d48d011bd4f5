-- What the newest run that judged a check said, a failing hour first. Grain: a check; one that never ran in that time has
-- no result, and one that only ever did not apply says so.
-- Parameters: site, from_time, until_time (of the hours), suite, severity, owner (empty: all). Reads only.
SELECT e.suite, e.expectation, e.severity, e.owner, e.description, e.threshold, newest.passed, newest.observed,
       newest.hour_start, newest.revision, newest.run_id, i.incident_id, i.opened_at, i.acknowledged_at
FROM quality.expectation AS e
LEFT JOIN LATERAL (
    SELECT r.passed, r.observed, r.hour_start, r.revision, r.run_id
    FROM quality.result AS r
    WHERE r.site = %(site)s AND (r.suite, r.expectation) = (e.suite, e.expectation)
      AND r.hour_start >= %(from_time)s::timestamptz AND r.hour_start < %(until_time)s::timestamptz
    ORDER BY (r.passed IS NULL), r.run_id DESC, r.passed, r.hour_start DESC, r.revision DESC
    LIMIT 1
) AS newest ON true
LEFT JOIN quality.incident AS i
    ON (i.site, i.suite, i.expectation) = (%(site)s, e.suite, e.expectation) AND i.closed_at IS NULL
WHERE (%(suite)s = '' OR e.suite = %(suite)s) AND (%(severity)s = '' OR e.severity = %(severity)s)
  AND (%(owner)s = '' OR e.owner = %(owner)s)
ORDER BY e.suite, (newest.passed IS FALSE) DESC, e.severity, e.expectation
