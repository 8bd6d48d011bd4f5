-- Site hours whose visitor sketches are still kept by the minute. Grain: a site's hour.
-- Parameters: before (only hours that began earlier), most (rows). Reads only.
SELECT site, date_trunc('hour', minute_start, 'UTC') AS hour_start
FROM stream.visitor_sketch
WHERE minute_start < %(before)s AND minute_start <> date_trunc('hour', minute_start, 'UTC')
GROUP BY site, date_trunc('hour', minute_start, 'UTC')
ORDER BY hour_start, site
LIMIT %(most)s
