-- Hits of a range by hour or day, as known at a moment. Grain: a step of step_hours that has a report.
-- Parameters: site, from_time, until_time, known_at, step_hours. Reads only.
SELECT date_bin(make_interval(hours => %(step_hours)s::integer), h.hour_start, timestamptz 'epoch') AS step_start,
       sum(t.hits)::bigint AS hits
FROM report.known_hour(%(site)s, %(from_time)s::timestamptz, %(until_time)s::timestamptz, %(known_at)s::timestamptz) AS h
JOIN report.hourly_traffic AS t ON t.site = %(site)s AND t.hour_start = h.hour_start AND t.revision = h.revision
GROUP BY step_start
ORDER BY step_start
