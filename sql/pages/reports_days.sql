-- Published days of a site. Grain: a UTC day. Parameters: site, from_time, until_time. Reads only.
SELECT day_start, revision, hours, hits, visitors, visitors_bound
FROM report.current_daily_traffic
WHERE site = %(site)s AND day_start >= %(from_time)s::timestamptz AND day_start < %(until_time)s::timestamptz
ORDER BY day_start
