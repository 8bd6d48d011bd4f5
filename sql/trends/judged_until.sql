-- Up to when buckets were judged before, and whether records were lost since then. Grain: the one row.
-- Parameters: none. A rerun reads again.
SELECT extract(epoch FROM s.judged_until)::double precision AS judged_until,
       EXISTS (SELECT FROM stream.lost_range AS r WHERE r.recorded_at > s.judged_until) AS records_lost
FROM stream.trend_state AS s
