-- Counting stood still for a while. Grain: a standstill. Parameters: start_s, end_s (epoch seconds), records_lost.
-- A rerun changes nothing.
INSERT INTO stream.standstill (span_start, span_end, records_lost)
VALUES (to_timestamp(%(start_s)s), to_timestamp(%(end_s)s), %(records_lost)s)
ON CONFLICT (span_start) DO NOTHING
