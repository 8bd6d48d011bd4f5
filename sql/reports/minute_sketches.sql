-- Sketches of the visitors of the hours that are being published. Grain: site, hour, key, agent class and minute.
-- No parameters. Runs after reports/collect_hours in its transaction; reads only. An hour whose sketches were deleted
-- brings those of its last report.
SELECT h.site, h.hour_start, v.key_id, v.agent_class, v.sketch
FROM pg_temp.publishing_hour AS h
JOIN stream.visitor_sketch AS v
    ON v.site = h.site AND v.minute_start >= h.hour_start AND v.minute_start < h.hour_start + interval '1 hour'
UNION ALL
SELECT h.site, h.hour_start, v.key_id, v.agent_class, v.sketch
FROM pg_temp.publishing_hour AS h
JOIN stream.expired_detail AS e ON e.detail = 'sketches' AND e.site = h.site AND e.period_start = h.hour_start
JOIN report.hour_checked AS c ON c.site = h.site AND c.hour_start = h.hour_start
JOIN report.hourly_visitor AS v ON v.site = h.site AND v.hour_start = h.hour_start AND v.revision = c.revision
ORDER BY site, hour_start, key_id, agent_class
