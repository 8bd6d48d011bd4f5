-- Live totals. Grain: site. Reads only.
SELECT site, hits, bytes_sent, client_errors, server_errors, mean_latency_ms, first_hour_start, last_bucket_start,
       last_bucket_age_seconds
FROM report.live_total
ORDER BY hits DESC, site
