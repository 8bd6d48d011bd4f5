-- Sketches of hours that ended before a moment and still have some beyond their first minute. Grain: a sketch.
-- Parameters: before, hours (most hours of all sites at once). Reads only; an hour leaves the list once compacted.
SELECT known.site, extract(epoch FROM spread.hour_start)::bigint AS minute_start, known.key_id, known.agent_class,
       known.sketch
FROM (
    SELECT DISTINCT site, date_trunc('hour', minute_start, 'UTC') AS hour_start
    FROM stream.visitor_sketch
    WHERE minute_start < date_trunc('hour', %(before)s::timestamptz, 'UTC')
      AND minute_start <> date_trunc('hour', minute_start, 'UTC')
    ORDER BY 2, 1
    LIMIT %(hours)s
) AS spread
JOIN stream.visitor_sketch AS known
  ON known.site = spread.site
 AND known.minute_start >= spread.hour_start
 AND known.minute_start < spread.hour_start + interval '1 hour'
