-- Offsets lost before they were counted, the newest first, and since when records are counted at all.
-- Grain: a lost range; one row without a range when there is none. Parameters: most (rows). Reads only.
SELECT began.first_seen_at AS counting_since, l.topic, l.kafka_partition, l.from_offset, l.until_offset, l.records,
       l.reason, l.recorded_at
FROM (SELECT min(first_seen_at) AS first_seen_at FROM report.partition) AS began
LEFT JOIN report.lost_range AS l ON true
ORDER BY l.recorded_at DESC
LIMIT %(most)s::integer
