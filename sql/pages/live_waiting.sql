-- Records that waited in Kafka over the last 15 minutes, by 10 s. Grain: 10 s; one without a heartbeat has none: unknown.
-- Parameters: none. Reads only.
SELECT step.slot_start, p.lag_records
FROM generate_series(date_bin('10 seconds', now(), timestamptz 'epoch') - interval '15 minutes',
                     date_bin('10 seconds', now(), timestamptz 'epoch') - interval '10 seconds', interval '10 seconds')
    AS step (slot_start)
LEFT JOIN report.stream_progress AS p USING (slot_start)
ORDER BY step.slot_start
