-- What every run of a check saw for a site, the newest first. Grain: a run and hour revision.
-- Parameters: site, suite, expectation, from_time, until_time (of the hours), most (rows). Reads only.
--   number  the observed value where it is one: a plain number, or how many rows failed
SELECT q.finished_at, q.run_label, r.run_id, r.hour_start, r.revision, r.observed, r.passed, s.seal,
       CASE WHEN r.observed ~ '^-?[0-9]+([.][0-9]+)?$' THEN r.observed::double precision
            WHEN r.observed ~ '^[0-9]+ of [0-9]+ fail' THEN split_part(r.observed, ' ', 1)::double precision
       END AS number
FROM quality.result AS r
JOIN quality.run AS q USING (run_id)
LEFT JOIN quality.hour_seal AS s USING (site, hour_start, revision)
WHERE r.site = %(site)s AND r.hour_start >= %(from_time)s::timestamptz AND r.hour_start < %(until_time)s::timestamptz
  AND (r.suite, r.expectation) = (%(suite)s, %(expectation)s)
ORDER BY r.run_id DESC, r.hour_start DESC, r.revision DESC
LIMIT %(most)s::integer
