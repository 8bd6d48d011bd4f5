-- Calendar months of a site from its hour reports as they are now, beside the month before. Grain: a UTC month, the
-- newest first. Parameters: site, until_time, months (how many). Reads only.
-- Visitors are a block of their own: reports_period_visitors.
WITH summed AS (
    SELECT date_trunc('month', hour_start, 'UTC') AS period_start, count(*) AS hours, sum(hits)::bigint AS hits,
           sum(client_errors)::bigint AS client_errors, sum(server_errors)::bigint AS server_errors,
           sum(bytes_sent)::bigint AS bytes_sent
    FROM report.current_hourly_traffic
    WHERE site = %(site)s AND hour_start < %(until_time)s::timestamptz
      AND hour_start >= date_trunc('month', %(until_time)s::timestamptz - make_interval(months => %(months)s::integer + 1), 'UTC')
    GROUP BY period_start
)
SELECT s.period_start, date_trunc('month', s.period_start + interval '768 hours', 'UTC') AS period_end,
       s.hours, s.hits, before.hits AS previous_hits,
       before.hours AS previous_hours, s.client_errors, s.server_errors,
       report.latency_percentile_ms(l.bins, l.counts, 0.95, l.latency_us_max) AS p95_ms, s.bytes_sent
FROM summed AS s
LEFT JOIN summed AS before ON before.period_start = date_trunc('month', s.period_start - interval '24 hours', 'UTC')
CROSS JOIN LATERAL report.range_latency(%(site)s, s.period_start, date_trunc('month', s.period_start + interval '768 hours', 'UTC')) AS l
WHERE s.period_start >= %(until_time)s::timestamptz - make_interval(months => %(months)s::integer)
ORDER BY s.period_start DESC
