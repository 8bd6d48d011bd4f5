-- Calendar months of a site from its hour reports as they are now, beside the month before. Grain: a UTC month, the
-- newest first. Parameters: site, until_time, months (how many). Reads only.
SELECT month_start AS period_start, date_trunc('month', month_start + interval '768 hours', 'UTC') AS period_end, hours, hits,
       previous_hits, visitors, visitors_bound, visitor_keys, client_errors, server_errors, p95_ms, bytes_sent
FROM report.monthly_traffic
WHERE site = %(site)s AND month_start < %(until_time)s::timestamptz
  AND month_start >= %(until_time)s::timestamptz - make_interval(months => %(months)s::integer)
ORDER BY month_start DESC
