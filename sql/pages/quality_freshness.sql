-- How old things are against what they may be. Grain: a thing; one that never was has no age.
-- Parameters: site. Reads only. Limits in seconds: a heartbeat 30; an event (by its 10 s bucket: at most) 60; an hour's
-- report until 15 min after the
-- next hour closed; a day's until two hours after the next day ended; an audit is daily, two hours later than the day before at most.
SELECT 1 AS place, 'stream heartbeat' AS what, heartbeat_age_seconds AS age_seconds, 30.0 AS limit_seconds
FROM report.stream_status
UNION ALL
SELECT 2, 'newest counted event', extract(epoch FROM now() - last_bucket_start)::double precision, 60
FROM report.site
WHERE site = %(site)s
UNION ALL
SELECT 3, 'hourly report', extract(epoch FROM now() - max(hour_start + interval '1 hour'))::double precision, 4800
FROM report.hour_revision
WHERE site = %(site)s
UNION ALL
SELECT 4, 'daily report', extract(epoch FROM now() - max(day_start + interval '1 day'))::double precision, 93600
FROM report.daily_traffic
WHERE site = %(site)s
UNION ALL
SELECT 5, 'audit', extract(epoch FROM now() - max(finished_at))::double precision, 93600
FROM quality.audit
WHERE status IN ('equal', 'differs')
ORDER BY place
