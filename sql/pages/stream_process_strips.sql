-- How the last 24 h went for the supervised processes, by 10 minutes. Grain: a process and 10 minutes with a sample.
-- Parameters: none. Reads only. Looked at every 30 s; away: how many samples found it not running.
SELECT process, date_bin('10 minutes', slot_start, timestamptz 'epoch') AS step_start, count(*)::integer AS samples,
       count(*) FILTER (WHERE state <> 'running')::integer AS away
FROM report.process_sample
WHERE slot_start >= date_bin('10 minutes', now(), timestamptz 'epoch') - interval '23 hours 50 minutes'
GROUP BY 1, 2
ORDER BY 1, 2
