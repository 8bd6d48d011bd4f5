-- Revisions of a day's report, the newest first. Grain: a revision. Parameters: site, from_time (the day), most (rows).
-- Reads only.
SELECT revision, hours, hits, hits - lag(hits) OVER (ORDER BY revision) AS hits_delta, bytes_sent, client_errors, server_errors,
       visitors, visitors_bound, p95_ms, made_at
FROM report.daily_traffic
WHERE site = %(site)s AND day_start = %(from_time)s::timestamptz
ORDER BY revision DESC
LIMIT %(most)s::integer
