-- Distinct visitors of a site's last 30 minutes up to the newest closed bucket. Grain: a visitor key (two, when one
-- was replaced in these minutes: never added). Parameters: site. Reads only.
SELECT v.key_id, v.visitors, v.visitors_bound, v.exact, began.first_bucket_start, lag.closed_until
FROM report.stream_lag AS lag
CROSS JOIN LATERAL report.live_visitors(
    %(site)s, date_trunc('minute', lag.closed_until) - interval '29 minutes', lag.closed_until) AS v
CROSS JOIN LATERAL (
    SELECT min(b.bucket_start) AS first_bucket_start
    FROM report.live_bucket AS b
    WHERE b.site = %(site)s AND b.bucket_start >= lag.closed_until - interval '30 minutes'
) AS began
