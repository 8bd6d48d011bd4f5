-- Seals of a range's hours, each of the revision that was known at a moment. Grain: a seal.
-- Parameters: site, from_time, until_time, known_at, judged_at (moment of the seals). Reads only.
SELECT s.seal, count(*) AS hours
FROM report.known_hour(%(site)s, %(from_time)s::timestamptz, %(until_time)s::timestamptz, %(known_at)s::timestamptz) AS h
JOIN quality.seal_at(%(site)s, %(from_time)s::timestamptz, %(until_time)s::timestamptz, %(judged_at)s::timestamptz)
    AS s USING (hour_start, revision)
GROUP BY s.seal
ORDER BY s.seal
