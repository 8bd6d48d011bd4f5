-- Sketches of hours that ended before a moment and still have some beyond their first minute. Not of a site's two newest
-- hours, however old: its last 30 minutes, which the live views show, may begin in either. Grain: a sketch.
-- Parameters: before, hours (most hours of all sites at once). Reads only; an hour leaves the list once compacted.
SELECT known.site, extract(epoch FROM spread.hour_start)::bigint AS minute_start, known.key_id, known.agent_class,
       known.sketch
FROM (
    SELECT DISTINCT site, date_trunc('hour', minute_start, 'UTC') AS hour_start
    FROM stream.visitor_sketch
    JOIN (SELECT site, max(minute_start) AS newest FROM stream.visitor_sketch GROUP BY site) AS last USING (site)
    WHERE minute_start < date_trunc('hour', %(before)s::timestamptz, 'UTC')
      AND minute_start < date_trunc('hour', newest, 'UTC') - interval '1 hour'
      AND minute_start <> date_trunc('hour', minute_start, 'UTC')
    ORDER BY 2, 1
    LIMIT %(hours)s
) AS spread
JOIN stream.visitor_sketch AS known
  ON known.site = spread.site
 AND known.minute_start >= spread.hour_start
 AND known.minute_start < spread.hour_start + interval '1 hour'
