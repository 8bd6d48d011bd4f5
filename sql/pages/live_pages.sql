-- Hot pages of a site's newest closed 30 s against the 30 s before. Grain: a page, the hottest first.
-- Parameters: site, most (rows). Reads only.
WITH lag AS MATERIALIZED (
    SELECT closed_until FROM report.stream_lag
), now AS (
    SELECT c.path, sum(c.hits)::bigint AS hits, coalesce(sum(c.hits) FILTER (WHERE c.status_class = 5), 0)::bigint AS server_errors
    FROM lag CROSS JOIN LATERAL report.range_cell(%(site)s, lag.closed_until - interval '30 seconds', lag.closed_until) AS c
    GROUP BY c.path
), before AS (
    SELECT c.path, sum(c.hits)::bigint AS hits
    FROM lag
    CROSS JOIN LATERAL report.range_cell(%(site)s, lag.closed_until - interval '60 seconds',
                                         lag.closed_until - interval '30 seconds') AS c
    GROUP BY c.path
), latency AS (
    SELECT l.path, l.p95_ms
    FROM lag CROSS JOIN LATERAL report.live_latency(%(site)s, lag.closed_until - interval '30 seconds', lag.closed_until) AS l
)
SELECT now.path, now.hits, coalesce(before.hits, 0) AS hits_before, now.server_errors, latency.p95_ms,
       count(*) OVER () AS pages, sum(now.hits) OVER ()::bigint AS hits_all,
       sum(now.server_errors) OVER ()::bigint AS server_errors_all
FROM now
LEFT JOIN before USING (path)
LEFT JOIN latency USING (path)
ORDER BY now.hits DESC, now.path
LIMIT %(most)s::integer
