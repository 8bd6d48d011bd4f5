-- Hours of a site with traffic: state, latest revision, seal and hits. Grain: a UTC hour.
-- Parameters: site, from_time, until_time. Reads only.
SELECT s.hour_start, s.state, s.revision, s.seal, s.seal_reason, s.made_at, t.hits
FROM report.hour_state AS s
LEFT JOIN report.current_hourly_traffic AS t USING (site, hour_start)
WHERE s.site = %(site)s AND s.hour_start >= %(from_time)s::timestamptz AND s.hour_start < %(until_time)s::timestamptz
ORDER BY s.hour_start
