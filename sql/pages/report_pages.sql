-- Traffic of a range by path as known at a moment, beside the period before it. Grain: one of them, most hits first.
-- Parameters: site, from_time, until_time, known_at, most (rows). Reads only.
SELECT path, hits, previous_hits, p95_ms, count(*) OVER () AS rows_all, sum(hits) OVER ()::bigint AS hits_all
FROM report.range_page(%(site)s, %(from_time)s::timestamptz, %(until_time)s::timestamptz, %(known_at)s::timestamptz)
WHERE hits > 0
ORDER BY hits DESC, path
LIMIT %(most)s::integer
