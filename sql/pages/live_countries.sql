-- Hits of a site's last 5 closed minutes by country, against the 5 minutes before. Grain: a country (empty: unknown).
-- Parameters: site. Reads only.
WITH lag AS MATERIALIZED (
    SELECT closed_until FROM report.stream_lag
)
SELECT c.country, coalesce(sum(c.hits) FILTER (WHERE c.is_now), 0)::bigint AS hits,
       coalesce(sum(c.hits) FILTER (WHERE NOT c.is_now), 0)::bigint AS hits_before
FROM (
    SELECT n.country, n.hits, true AS is_now
    FROM lag CROSS JOIN LATERAL report.range_cell(%(site)s, lag.closed_until - interval '5 minutes', lag.closed_until) AS n
    UNION ALL
    SELECT b.country, b.hits, false
    FROM lag
    CROSS JOIN LATERAL report.range_cell(%(site)s, lag.closed_until - interval '10 minutes',
                                         lag.closed_until - interval '5 minutes') AS b
) AS c
GROUP BY c.country
ORDER BY hits DESC, c.country
