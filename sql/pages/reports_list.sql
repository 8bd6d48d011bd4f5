-- Reports of the hours of a range beside the same hour a week before. Grain: a UTC hour, the newest first.
-- Parameters: site, from_time, until_time. Reads only.
SELECT t.hour_start, t.revision, t.hits, before.hits AS hits_week_before, t.visitors, t.visitors_bound, t.client_errors,
       t.server_errors, t.p50_ms, t.p95_ms, t.p99_ms, t.bytes_sent, t.made_at, s.seal
FROM report.current_hourly_traffic AS t
LEFT JOIN report.current_hourly_traffic AS before
    ON before.site = t.site AND before.hour_start = t.hour_start - interval '168 hours'
LEFT JOIN quality.current_seal AS s ON (s.site, s.hour_start) = (t.site, t.hour_start)
WHERE t.site = %(site)s AND t.hour_start >= %(from_time)s::timestamptz AND t.hour_start < %(until_time)s::timestamptz
ORDER BY t.hour_start DESC
