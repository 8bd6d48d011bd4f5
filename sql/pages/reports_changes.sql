-- Hours that changed after they were published, the newest change first. Grain: a revision above 1.
-- Parameters: site, from_time, until_time (of the hours), most (rows). Reads only.
SELECT v.hour_start, v.revision, v.cause, v.hits_delta, v.made_at, now.hits, now.hits - v.hits_delta AS hits_before,
       s.seal, count(*) OVER () AS changes, h.hours AS hours_changed
FROM report.hour_revision AS v
JOIN report.hourly_traffic AS now USING (site, hour_start, revision)
LEFT JOIN quality.current_seal AS s USING (site, hour_start)
CROSS JOIN (
    SELECT count(DISTINCT hour_start) AS hours
    FROM report.hour_revision
    WHERE site = %(site)s AND revision > 1 AND hour_start >= %(from_time)s::timestamptz
      AND hour_start < %(until_time)s::timestamptz
) AS h
WHERE v.site = %(site)s AND v.revision > 1 AND v.hour_start >= %(from_time)s::timestamptz
  AND v.hour_start < %(until_time)s::timestamptz
ORDER BY v.made_at DESC, v.hour_start DESC
LIMIT %(most)s::integer
