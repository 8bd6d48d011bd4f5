-- Hours that want a report: closed, and never reported or added to since. Grain: site and hour.
-- Parameters: as_of (the moment that decides what is closed), start, end_ (half-open range of hour starts; null = no bound).
-- Reads only; an hour leaves the list when reports/publish_hours has looked at it.
SELECT t.site, t.hour_start
FROM stream.touched_hour AS t
LEFT JOIN report.hour_checked AS c USING (site, hour_start)
WHERE report.hour_closes_at(t.hour_start) <= %(as_of)s
  AND (%(start)s::timestamptz IS NULL OR t.hour_start >= %(start)s::timestamptz)
  AND (%(end_)s::timestamptz IS NULL OR t.hour_start < %(end_)s::timestamptz)
  AND (c.ledger_id IS NULL OR t.last_ledger_id > c.ledger_id)
ORDER BY t.hour_start, t.site
