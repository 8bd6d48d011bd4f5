-- Traffic of a range by page as known at a moment, beside the period before it. Grain: a page, most hits first.
-- Parameters: site, from_time, until_time, known_at, most (rows). Reads only.
-- report.range_page gives the same with percentiles, which take longer.
WITH asked AS (
    SELECT %(from_time)s::timestamptz AS start_at, %(until_time)s::timestamptz AS end_at, %(known_at)s::timestamptz AS known_at
), now AS (
    SELECT t.path, sum(t.hits)::bigint AS hits
    FROM asked AS a
    CROSS JOIN LATERAL report.known_hour(%(site)s, a.start_at, a.end_at, a.known_at) AS h
    JOIN report.hourly_page AS t ON t.site = %(site)s AND t.hour_start = h.hour_start AND t.revision = h.revision
    GROUP BY t.path
), before AS (
    SELECT t.path, sum(t.hits)::bigint AS hits
    FROM asked AS a
    CROSS JOIN LATERAL report.known_hour(%(site)s, a.start_at - (a.end_at - a.start_at), a.start_at, a.known_at) AS h
    JOIN report.hourly_page AS t ON t.site = %(site)s AND t.hour_start = h.hour_start AND t.revision = h.revision
    GROUP BY t.path
)
SELECT now.path, now.hits, coalesce(before.hits, 0) AS previous_hits, count(*) OVER () AS rows_all,
       sum(now.hits) OVER ()::bigint AS hits_all
FROM now
LEFT JOIN before USING (path)
WHERE now.hits > 0
ORDER BY now.hits DESC, now.path
LIMIT %(most)s::integer
