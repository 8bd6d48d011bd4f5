-- Seals of a range's hours, each of the revision that was known at a moment. Grain: a seal.
-- Parameters: site, from_time, until_time, known_at. Reads only.
SELECT s.seal, count(*) AS hours
FROM report.known_hour(%(site)s, %(from_time)s::timestamptz, %(until_time)s::timestamptz, %(known_at)s::timestamptz) AS h
JOIN quality.revision_seal AS s ON (s.site, s.hour_start, s.revision) = (%(site)s, h.hour_start, h.revision)
GROUP BY s.seal
ORDER BY s.seal
