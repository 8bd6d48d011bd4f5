-- Hits of the hottest pages of a site's newest closed 30 s over the last 15 minutes. Grain: a page and 30 s, the oldest
-- first. Parameters: site, most (pages). Reads only.
--   is_known  counting did not stand still: an empty step that is known is a true 0
WITH lag AS MATERIALIZED (
    SELECT closed_until FROM report.stream_lag
), hot AS MATERIALIZED (
    SELECT c.path
    FROM lag CROSS JOIN LATERAL report.range_cell(%(site)s, lag.closed_until - interval '30 seconds', lag.closed_until) AS c
    GROUP BY c.path
    ORDER BY sum(c.hits) DESC, c.path
    LIMIT %(most)s::integer
), step AS (
    SELECT s.path, date_bin('30 seconds', s.bucket_start, lag.closed_until) AS step_start, sum(s.hits)::bigint AS hits
    FROM lag
    CROSS JOIN LATERAL report.page_series(%(site)s, ARRAY(SELECT path FROM hot), lag.closed_until - interval '15 minutes',
                                          lag.closed_until) AS s
    GROUP BY s.path, step_start
)
SELECT step.path, step.step_start, step.hits,
       NOT EXISTS (SELECT FROM report.standstill AS s
                   WHERE s.span_start < step.step_start + interval '30 seconds' AND s.span_end > step.step_start
                     AND (s.records_lost OR step.hits = 0)) AS is_known
FROM step
ORDER BY step.path, step.step_start
