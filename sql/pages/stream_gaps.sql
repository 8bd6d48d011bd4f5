-- Time without a heartbeat of the stream job, and what the job that ended then said. Grain: a gap of 30 s or more.
-- Parameters: hours (how far back). Reads only.
WITH slot AS (
    SELECT slot_start, lead(slot_start, 1, now()) OVER (ORDER BY slot_start) AS next_start
    FROM report.stream_progress
    WHERE slot_start > now() - make_interval(hours => %(hours)s::integer)
)
SELECT slot_start + interval '10 seconds' AS gap_start, next_start AS gap_end,
       (SELECT l.end_reason
        FROM report.stream_launch AS l
        WHERE l.job = 'traffic_stream' AND l.ended_at BETWEEN slot.slot_start - interval '2 minutes' AND next_start
        ORDER BY l.ended_at
        LIMIT 1) AS end_reason
FROM slot
WHERE next_start - slot_start > interval '40 seconds'
ORDER BY slot_start
