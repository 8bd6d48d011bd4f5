-- Times in which counting stood still. Grain: a standstill. Parameters: since. A rerun reads again.
SELECT extract(epoch FROM span_start)::double precision AS start_s, extract(epoch FROM span_end)::double precision AS end_s,
       records_lost
FROM stream.standstill
WHERE span_end >= %(since)s
