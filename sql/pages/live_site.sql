-- How far a site's lines reach, and since when lines are counted at all. One row. Parameters: site. Reads only.
SELECT s.last_bucket_start + interval '10 seconds' AS newest_event_before,
       extract(epoch FROM now() - s.last_bucket_start)::double precision AS newest_event_age_seconds,
       s.first_hour_start, lag.closed_until, lag.lag_records
FROM report.site AS s
CROSS JOIN report.stream_lag AS lag
WHERE s.site = %(site)s
