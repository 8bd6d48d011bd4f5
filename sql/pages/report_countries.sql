-- Traffic of a range by country as known at a moment, beside the period before it. Grain: one of them, most hits first.
-- Parameters: site, from_time, until_time, known_at, most (rows). Reads only.
SELECT country, hits, previous_hits, count(*) OVER () AS rows_all, sum(hits) OVER ()::bigint AS hits_all
FROM report.range_country(%(site)s, %(from_time)s::timestamptz, %(until_time)s::timestamptz, %(known_at)s::timestamptz)
WHERE hits > 0
ORDER BY hits DESC, country
LIMIT %(most)s::integer
