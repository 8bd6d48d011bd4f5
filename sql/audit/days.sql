-- Days from start until end_ that have a report, and whether it knows the newest revision of each of its hours.
-- Grain: site and day. Parameters: start, end_ (half-open range). Reads only.
SELECT d.site, d.day_start, d.hour_revisions <> hour.revisions AS waits, visit.ledger_id AS visit_ledger_id
FROM report.current_daily_traffic AS d
CROSS JOIN LATERAL (
    SELECT sum(h.revision) AS revisions
    FROM report.hour_checked AS h
    WHERE h.site = d.site AND h.hour_start >= d.day_start AND h.hour_start < d.day_start + interval '24 hours'
) AS hour
LEFT JOIN LATERAL (
    SELECT v.ledger_id
    FROM report.visit_revision AS v
    WHERE v.site = d.site AND v.day_start = d.day_start
    ORDER BY v.revision DESC
    LIMIT 1
) AS visit ON true
WHERE d.day_start >= %(start)s AND d.day_start + interval '24 hours' <= %(end_)s
ORDER BY d.day_start, d.site
