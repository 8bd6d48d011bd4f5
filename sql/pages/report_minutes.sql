-- Hits of a range by minute, as counted now. Grain: a minute with lines. Parameters: site, from_time, until_time.
-- Reads only.
SELECT date_trunc('minute', bucket_start) AS step_start, sum(hits)::bigint AS hits
FROM report.live_bucket
WHERE site = %(site)s AND bucket_start >= %(from_time)s::timestamptz AND bucket_start < %(until_time)s::timestamptz
GROUP BY step_start
ORDER BY step_start
