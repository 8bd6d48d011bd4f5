-- Visitors and 95th percentile of latency of a site's last 15 whole minutes. Grain: a minute, the oldest first; a visitor of
-- several minutes counts in each. Parameters: site. Reads only.
--   is_known  counting did not stand still: a minute without visitors that is known is a true 0
SELECT m.minute_start, m.visitors, m.p95_ms,
       NOT EXISTS (SELECT FROM report.standstill AS s
                   WHERE s.span_start < m.minute_start + interval '1 minute' AND s.span_end > m.minute_start
                     AND (s.records_lost OR m.visitors = 0)) AS is_known
FROM report.stream_lag AS lag
CROSS JOIN LATERAL report.live_minute(
    %(site)s, date_trunc('minute', lag.closed_until) - interval '15 minutes', date_trunc('minute', lag.closed_until)) AS m
ORDER BY m.minute_start
