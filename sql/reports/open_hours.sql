-- Hours with traffic that are not closed yet, so that no report of them is made. Grain: site and hour.
-- Parameters: as_of, start, end_ (half-open range of hour starts; null = no bound). Reads only.
SELECT t.site, t.hour_start, report.hour_closes_at(t.hour_start) AS closes_at
FROM stream.touched_hour AS t
WHERE report.hour_closes_at(t.hour_start) > %(as_of)s
  AND (%(start)s::timestamptz IS NULL OR t.hour_start >= %(start)s::timestamptz)
  AND (%(end_)s::timestamptz IS NULL OR t.hour_start < %(end_)s::timestamptz)
ORDER BY t.hour_start, t.site
