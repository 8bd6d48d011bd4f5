-- The five figures of the stream page. One row. Parameters: none. Reads only.
--   read, counted   records of the batches written in the last 30 s; counted = accepted + rejected + duplicate
--   delay_p50, _p99 of the last 5 min: how long a record waited from Kafka to the table, at most
--   records_24h     records read since the first batch of the last 24 h
SELECT recent.read, recent.counted, waiting.lag_records, waiting.largest_lag_records, waiting.largest_partition,
       delay.delay_p50_seconds, delay.delay_p99_seconds, rejects.rejected_24h, rejects.reasons, last_day.records_24h,
       lost.records AS lost, lost.ranges AS lost_ranges
FROM (
    SELECT coalesce(sum(consumed), 0)::bigint AS read,
           coalesce(sum(accepted + rejected + duplicate), 0)::bigint AS counted
    FROM report.ledger
    WHERE committed_at > now() - interval '30 seconds'
) AS recent
CROSS JOIN (
    SELECT sum(lag_records)::bigint AS lag_records, max(lag_records) AS largest_lag_records,
           (array_agg(kafka_partition ORDER BY lag_records DESC NULLS LAST))[1] AS largest_partition
    FROM report.partition
) AS waiting
CROSS JOIN (
    SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY delay_seconds) AS delay_p50_seconds,
           percentile_disc(0.99) WITHIN GROUP (ORDER BY delay_seconds) AS delay_p99_seconds
    FROM report.stream_progress
    WHERE slot_start > now() - interval '5 minutes'
) AS delay
CROSS JOIN (
    SELECT coalesce(sum(records), 0)::bigint AS rejected_24h, count(DISTINCT reason) AS reasons
    FROM report.rejected_reason
    WHERE received_hour > now() - interval '24 hours'
) AS rejects
CROSS JOIN (
    SELECT sum(p.next_offset - first.from_offset)::bigint AS records_24h
    FROM report.partition AS p
    CROSS JOIN LATERAL (
        SELECT l.from_offset
        FROM report.ledger AS l
        WHERE l.topic_id = p.topic_id AND l.kafka_partition = p.kafka_partition
          AND l.committed_at > now() - interval '24 hours'
        ORDER BY l.committed_at
        LIMIT 1
    ) AS first
) AS last_day
CROSS JOIN (
    SELECT coalesce(sum(records), 0)::bigint AS records, count(*) AS ranges FROM report.lost_range
) AS lost
