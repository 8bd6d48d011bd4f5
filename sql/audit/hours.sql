-- Hours with traffic from start until end_, and whether their reports are up to date. Grain: site and hour.
-- Parameters: start, end_ (half-open range of hour starts). Reads only.
SELECT t.site, t.hour_start, h.revision,
       CASE WHEN h.ledger_id >= t.last_ledger_id THEN 'reported'
            WHEN h.ledger_id IS NOT NULL THEN 'dirty'
            ELSE 'unreported' END AS state
FROM stream.touched_hour AS t
LEFT JOIN report.hour_checked AS h USING (site, hour_start)
WHERE t.hour_start >= %(start)s AND t.hour_start < %(end_)s
ORDER BY t.hour_start, t.site
