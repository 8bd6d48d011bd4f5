-- Latency percentiles of a site's newest closed 30 s. Grain: one row; none when no line has a latency.
-- Parameters: site. Reads only.
SELECT l.latency_count, l.p50_ms, l.p95_ms, l.p99_ms, lag.closed_until
FROM report.stream_lag AS lag
CROSS JOIN LATERAL report.live_latency(%(site)s, lag.closed_until - interval '30 seconds', lag.closed_until) AS l
WHERE l.path IS NULL
