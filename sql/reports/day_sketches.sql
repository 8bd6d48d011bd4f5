-- Sketches of the visitors of the hours of one day that is being published. Grain: key, agent class and hour.
-- Parameters: site, day_start. Runs after reports/collect_days in its transaction; reads only.
SELECT v.key_id, v.agent_class, v.sketch
FROM report.current_hourly_visitor AS v
WHERE v.site = %(site)s AND v.hour_start >= %(day_start)s::timestamptz
  AND v.hour_start < %(day_start)s::timestamptz + interval '24 hours'
ORDER BY v.key_id, v.agent_class
