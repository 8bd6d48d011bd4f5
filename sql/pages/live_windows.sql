-- The newest closed 30 s of a site against the 30 s before. Grain: a window, the newer first.
-- Parameters: site. Reads only.
SELECT w.window_start, w.window_start + interval '30 seconds' AS window_end,
       coalesce(sum(b.hits), 0)::bigint AS hits, coalesce(sum(b.bytes_sent), 0)::bigint AS bytes_sent,
       coalesce(sum(b.client_errors), 0)::bigint AS client_errors,
       coalesce(sum(b.server_errors), 0)::bigint AS server_errors
FROM report.stream_lag AS lag
CROSS JOIN LATERAL (VALUES (lag.closed_until - interval '30 seconds'), (lag.closed_until - interval '60 seconds'))
    AS w (window_start)
LEFT JOIN report.live_bucket AS b
    ON b.site = %(site)s AND b.bucket_start >= w.window_start AND b.bucket_start < w.window_start + interval '30 seconds'
WHERE lag.closed_until IS NOT NULL
GROUP BY w.window_start
ORDER BY w.window_start DESC
