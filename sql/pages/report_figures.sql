-- Traffic of a range as known at a moment, beside the period before it and the same range a week before. One row.
-- Parameters: site, from_time, until_time, known_at ('infinity': now). Reads only.
SELECT r.*, w.hours AS week_hours, w.hits AS week_hits, w.bytes_sent AS week_bytes_sent, w.client_errors AS week_client_errors,
       w.server_errors AS week_server_errors, w.p95_ms AS week_p95_ms, w.visitors AS week_visitors,
       w.visitors_bound AS week_visitors_bound
FROM report.range_traffic(%(site)s, %(from_time)s::timestamptz, %(until_time)s::timestamptz, %(known_at)s::timestamptz) AS r
CROSS JOIN report.traffic_measure(
    %(site)s, %(from_time)s::timestamptz - interval '168 hours', %(until_time)s::timestamptz - interval '168 hours',
    %(known_at)s::timestamptz) AS w
