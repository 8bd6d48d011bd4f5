-- What the checks had found for one hour revision at a moment, in the newest run that had judged it by then; failed ones
-- first. Grain: a check. Parameters: site, from_time (the hour), revision, judged_at (the moment). Reads only.
SELECT r.suite, r.expectation, r.severity, r.passed, r.observed, r.threshold, r.run_id, q.run_label, q.finished_at
FROM quality.result AS r
JOIN quality.run AS q USING (run_id)
WHERE r.site = %(site)s AND r.hour_start = %(from_time)s::timestamptz AND r.revision = %(revision)s::integer
  AND r.run_id = (SELECT max(k.run_id)
                  FROM quality.result AS k
                  JOIN quality.run AS n USING (run_id)
                  LEFT JOIN quality.hour_seal AS s USING (site, hour_start, revision, run_id)
                  WHERE k.site = %(site)s AND k.hour_start = %(from_time)s::timestamptz
                    AND k.revision = %(revision)s::integer
                    -- A run seals hour by hour and ends later; one that was killed never ends.
                    AND coalesce(s.sealed_at, n.finished_at, 'infinity') <= %(judged_at)s::timestamptz)
ORDER BY (r.passed IS FALSE) DESC, (r.severity = 'critical') DESC, r.suite, r.expectation
