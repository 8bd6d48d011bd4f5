-- Traffic of a range by a further dimension as known at a moment, beside the period before it. Grain: a value.
-- Parameters: site, from_time, until_time, known_at, dimension, most (rows). Reads only.
SELECT value, sum(hits)::bigint AS hits, sum(previous_hits)::bigint AS previous_hits, count(*) OVER () AS rows_all,
       sum(sum(hits)) OVER ()::bigint AS hits_all
FROM report.range_dimension(%(site)s, %(from_time)s::timestamptz, %(until_time)s::timestamptz, %(known_at)s::timestamptz,
                            %(dimension)s)
WHERE hits > 0
GROUP BY value
ORDER BY hits DESC, value
LIMIT %(most)s::integer
