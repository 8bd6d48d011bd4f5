-- The rows that made a check fail, of its newest failing result for a site. Grain: a row; at most 100 are kept.
-- Parameters: site, suite, expectation, from_time, until_time (of the hours), most (rows). Reads only.
SELECT f.run_id, f.site, f.hour_start, f.revision, f.place, f.dimension, f.key, f.seen, newest.failing_rows
FROM (
    SELECT r.run_id, r.hour_start, r.revision, r.failing_rows
    FROM quality.result AS r
    WHERE r.site = %(site)s AND r.hour_start >= %(from_time)s::timestamptz AND r.hour_start < %(until_time)s::timestamptz
      AND (r.suite, r.expectation) = (%(suite)s, %(expectation)s) AND r.passed IS FALSE
    ORDER BY r.run_id DESC, r.hour_start DESC, r.revision DESC
    LIMIT 1
) AS newest
JOIN quality.failing_row AS f
    ON (f.site, f.hour_start, f.revision, f.run_id, f.suite, f.expectation)
     = (%(site)s, newest.hour_start, newest.revision, newest.run_id, %(suite)s, %(expectation)s)
ORDER BY f.place
LIMIT %(most)s::integer
