-- Weeks of a site from its hour reports as they are now, beside the week before. Grain: an ISO week, the newest first.
-- Parameters: site, until_time, weeks (how many). Reads only.
SELECT week_start AS period_start, week_start + interval '168 hours' AS period_end, hours, hits, previous_hits, visitors, visitors_bound,
       visitor_keys, client_errors, server_errors, p95_ms, bytes_sent
FROM report.weekly_traffic
WHERE site = %(site)s AND week_start < %(until_time)s::timestamptz
  AND week_start >= %(until_time)s::timestamptz - make_interval(weeks => %(weeks)s::integer)
ORDER BY week_start DESC
