-- How the last 24 h went by 10 minutes, as the heartbeats of the stream job tell. Grain: 10 minutes.
-- Parameters: none. Reads only.
--   slots           10 s that have begun and ended in it, since the first heartbeat of these 24 h
--   silent          of those: without a heartbeat. What is not asked is not known: kafka_asked is the rest
--   kafka_silent    of those with a heartbeat: Kafka did not tell how far it is
WITH slot AS MATERIALIZED (
    SELECT slot_start, lag_records
    FROM report.stream_progress
    WHERE slot_start >= date_bin('10 minutes', now(), timestamptz 'epoch') - interval '24 hours'
), step AS (
    SELECT step_start, greatest(step_start, (SELECT min(slot_start) FROM slot)) AS counted_from,
           least(step_start + interval '10 minutes', date_bin('10 seconds', now() - interval '10 seconds', timestamptz 'epoch'))
               AS counted_until
    FROM generate_series(date_bin('10 minutes', now(), timestamptz 'epoch') - interval '23 hours 50 minutes',
                         date_bin('10 minutes', now(), timestamptz 'epoch'), interval '10 minutes') AS step_start
), counted AS (
    SELECT t.step_start, coalesce(greatest(0, extract(epoch FROM t.counted_until - t.counted_from) / 10), 0)::integer AS slots,
           coalesce(s.beats, 0) AS beats, coalesce(s.kafka_silent, 0) AS kafka_silent
    FROM step AS t
    LEFT JOIN (
        SELECT date_bin('10 minutes', slot_start, timestamptz 'epoch') AS step_start, count(*)::integer AS beats,
               count(*) FILTER (WHERE lag_records IS NULL)::integer AS kafka_silent
        FROM slot
        WHERE slot_start < date_bin('10 seconds', now() - interval '10 seconds', timestamptz 'epoch')
        GROUP BY 1
    ) AS s USING (step_start)
)
SELECT step_start, slots, greatest(0, slots - beats) AS silent, beats AS kafka_asked, kafka_silent
FROM counted
ORDER BY step_start
