-- Sketches of the visitors of the hours that are being published. Grain: site, hour, key, agent class and minute.
-- No parameters. Runs after reports/collect_hours in its transaction; reads only.
SELECT h.site, h.hour_start, v.key_id, v.agent_class, v.sketch
FROM pg_temp.publishing_hour AS h
JOIN stream.visitor_sketch AS v
    ON v.site = h.site AND v.minute_start >= h.hour_start AND v.minute_start < h.hour_start + interval '1 hour'
ORDER BY h.site, h.hour_start, v.key_id, v.agent_class
