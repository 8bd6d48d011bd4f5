-- What the checks found for one hour revision, in the newest run that judged it; failed ones first. Grain: a check.
-- Parameters: site, from_time (the hour), revision. Reads only.
SELECT r.suite, r.expectation, r.severity, r.passed, r.observed, r.threshold, r.run_id, q.run_label, q.finished_at
FROM quality.result AS r
JOIN quality.run AS q USING (run_id)
WHERE r.site = %(site)s AND r.hour_start = %(from_time)s::timestamptz AND r.revision = %(revision)s::integer
  AND r.run_id = (SELECT max(run_id) FROM quality.result
                  WHERE site = %(site)s AND hour_start = %(from_time)s::timestamptz AND revision = %(revision)s::integer)
ORDER BY (r.passed IS FALSE) DESC, (r.severity = 'critical') DESC, r.suite, r.expectation
