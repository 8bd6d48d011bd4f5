-- Hours of which something is unknown: one of their buckets lies in a standstill and holds no line, or records were lost
-- in it (the rule of is_known in report.series). Grain: a site and hour. Parameters: as_of, hours (how far back).
-- A rerun reads again.
WITH standstill AS (
    SELECT date_bin('10 seconds', greatest(s.span_start, %(as_of)s - make_interval(hours => %(hours)s)), 'epoch') AS starts,
           least(s.span_end, %(as_of)s) - interval '1 microsecond' AS last, s.records_lost
    FROM stream.standstill AS s
    WHERE s.span_end > %(as_of)s - make_interval(hours => %(hours)s) AND s.span_start < %(as_of)s
), part AS (
    SELECT s.records_lost, hour.starts AS hour_start, greatest(s.starts, hour.starts) AS starts,
           least(s.last, hour.starts + interval '59 minutes 50 seconds') AS last
    FROM standstill AS s
    CROSS JOIN LATERAL generate_series(date_trunc('hour', s.starts, 'UTC'), s.last, interval '1 hour') AS hour (starts)
)
SELECT DISTINCT live.site, part.hour_start
FROM (SELECT DISTINCT site FROM stream.touched_hour WHERE hour_start > %(as_of)s - interval '2 days') AS live
CROSS JOIN part
WHERE part.records_lost OR EXISTS (
    SELECT FROM generate_series(part.starts, part.last, interval '10 seconds') AS ten (starts)
    WHERE NOT EXISTS (
        SELECT FROM stream.traffic_bucket AS b JOIN stream.page AS p USING (page_id)
        WHERE b.bucket_start = ten.starts AND p.site = live.site
    )
)
