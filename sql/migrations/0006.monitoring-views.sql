-- depends: 0005.live-views
-- How the platform is doing, for `make status`, the pages and the DAGs: owner's rights, so that a reader sees
-- these columns and nothing else of stream.* (no samples, no process details).

SET LOCAL ROLE footfall_owner;

CREATE VIEW report.stream_status AS
SELECT l.state, l.desired_state, l.message, l.epoch, l.started_at, l.heartbeat_at,
       extract(epoch FROM clock_timestamp() - l.heartbeat_at)::double precision AS heartbeat_age_seconds,
       l.last_batch_at,
       extract(epoch FROM clock_timestamp() - l.last_batch_at)::double precision AS last_batch_age_seconds,
       l.last_batch_seconds, l.lag_records, l.records_per_second,
       (SELECT max(ledger_id) FROM stream.ledger) AS last_ledger_id
FROM stream.lease AS l;
COMMENT ON VIEW report.stream_status IS 'The stream job in one row. A heartbeat older than a few seconds means that state is no longer true.';
COMMENT ON COLUMN report.stream_status.state IS 'starting, counting, idle (nothing new), waiting (for Kafka or Postgres), stopped, failed.';
COMMENT ON COLUMN report.stream_status.desired_state IS 'running or stopped: what was asked of it.';
COMMENT ON COLUMN report.stream_status.message IS 'What the job says of its state, in words.';
COMMENT ON COLUMN report.stream_status.epoch IS 'Number of launches that took the lease.';
COMMENT ON COLUMN report.stream_status.started_at IS 'When this launch took the lease.';
COMMENT ON COLUMN report.stream_status.heartbeat_at IS 'Last sign of progress or of idling.';
COMMENT ON COLUMN report.stream_status.heartbeat_age_seconds IS 'Seconds since then; null before the first launch.';
COMMENT ON COLUMN report.stream_status.last_batch_at IS 'When the last batch was written.';
COMMENT ON COLUMN report.stream_status.last_batch_age_seconds IS 'Seconds since then; grows while there is nothing new.';
COMMENT ON COLUMN report.stream_status.last_batch_seconds IS 'How long the last batch took, in seconds.';
COMMENT ON COLUMN report.stream_status.lag_records IS 'Records in Kafka that are not counted yet, as of the heartbeat.';
COMMENT ON COLUMN report.stream_status.records_per_second IS 'Records read per second in the last batches.';
COMMENT ON COLUMN report.stream_status.last_ledger_id IS 'Last row of the ledger.';

CREATE VIEW report.ledger_total AS
SELECT coalesce(sum(consumed), 0)::bigint AS consumed, coalesce(sum(accepted), 0)::bigint AS accepted,
       coalesce(sum(rejected), 0)::bigint AS rejected, coalesce(sum(duplicate), 0)::bigint AS duplicate,
       coalesce(sum(unsourced), 0)::bigint AS unsourced,
       (SELECT coalesce(sum(upper(offsets) - lower(offsets)), 0)::bigint FROM stream.lost_range) AS lost,
       min(committed_at) AS first_committed_at, max(committed_at) AS last_committed_at
FROM stream.ledger;
COMMENT ON VIEW report.ledger_total IS 'What became of all records ever read: consumed = accepted + rejected + duplicate.';
COMMENT ON COLUMN report.ledger_total.consumed IS 'Records read.';
COMMENT ON COLUMN report.ledger_total.accepted IS 'Records counted into the buckets.';
COMMENT ON COLUMN report.ledger_total.rejected IS 'Records that break the wire contract; report.rejected_reason says why.';
COMMENT ON COLUMN report.ledger_total.duplicate IS 'Records whose (source, seq) had been counted before.';
COMMENT ON COLUMN report.ledger_total.unsourced IS 'Records without source and seq: counted, but a re-send of them could not be noticed.';
COMMENT ON COLUMN report.ledger_total.lost IS 'Offsets that Kafka no longer had before they were counted; report.lost_range lists them.';
COMMENT ON COLUMN report.ledger_total.first_committed_at IS 'When the first batch was written.';
COMMENT ON COLUMN report.ledger_total.last_committed_at IS 'When the last batch was written.';

CREATE VIEW report.rejected_reason AS
SELECT received_hour, reason, records FROM stream.rejected_count;
COMMENT ON VIEW report.rejected_reason IS 'Rejected records by hour of arrival and reason.';
COMMENT ON COLUMN report.rejected_reason.received_hour IS 'UTC hour in which Kafka received the record.';
COMMENT ON COLUMN report.rejected_reason.reason IS 'Why, naming the field.';
COMMENT ON COLUMN report.rejected_reason.records IS 'How many.';

CREATE VIEW report.rejected_line AS
SELECT source, seq, reason, received_at FROM stream.rejected_record WHERE source IS NOT NULL;
COMMENT ON VIEW report.rejected_line IS 'Lines of known sources that were rejected, where a sample was kept (a bounded number per batch and reason); the sample itself is not shown.';
COMMENT ON COLUMN report.rejected_line.source IS 'Fingerprint of a log file, or a generator run.';
COMMENT ON COLUMN report.rejected_line.seq IS 'Line number in the source.';
COMMENT ON COLUMN report.rejected_line.reason IS 'Why, naming the field.';
COMMENT ON COLUMN report.rejected_line.received_at IS 'When Kafka received it.';

CREATE VIEW report.lost_range AS
SELECT t.topic, l.topic_id, l.kafka_partition, lower(l.offsets) AS from_offset, upper(l.offsets) AS until_offset,
       upper(l.offsets) - lower(l.offsets) AS records, l.reason, l.recorded_at
FROM stream.lost_range AS l
JOIN stream.topic AS t USING (topic_id);
COMMENT ON VIEW report.lost_range IS 'Offsets that Kafka no longer had before they were counted; empty on a good day.';
COMMENT ON COLUMN report.lost_range.topic IS 'Name of the topic.';
COMMENT ON COLUMN report.lost_range.topic_id IS 'Topic incarnation.';
COMMENT ON COLUMN report.lost_range.kafka_partition IS 'Kafka partition.';
COMMENT ON COLUMN report.lost_range.from_offset IS 'First offset lost.';
COMMENT ON COLUMN report.lost_range.until_offset IS 'First offset after them.';
COMMENT ON COLUMN report.lost_range.records IS 'At most so many records.';
COMMENT ON COLUMN report.lost_range.reason IS 'Why, in words.';
COMMENT ON COLUMN report.lost_range.recorded_at IS 'When the stream job found out.';

CREATE VIEW report.source AS
SELECT s.source, s.site, lines.counted AS lines_counted, upper(range_merge(s.counted)) - 1 AS last_line,
       upper(range_merge(s.counted)) - 1 - lines.counted AS lines_missing, s.first_seen_at, s.last_seen_at
FROM stream.source_range AS s
CROSS JOIN LATERAL (
    SELECT sum(upper(span) - lower(span))::bigint AS counted FROM unnest(s.counted) AS span
) AS lines;
COMMENT ON VIEW report.source IS 'Each log file or generator run, and how many of its lines are here.';
COMMENT ON COLUMN report.source.source IS 'Fingerprint of a log file, or a generator run.';
COMMENT ON COLUMN report.source.site IS 'Site of its first line.';
COMMENT ON COLUMN report.source.lines_counted IS 'Lines counted or rejected.';
COMMENT ON COLUMN report.source.last_line IS 'Largest line number seen.';
COMMENT ON COLUMN report.source.lines_missing IS 'Lines before last_line that are not here yet.';
COMMENT ON COLUMN report.source.first_seen_at IS 'When its first line was counted.';
COMMENT ON COLUMN report.source.last_seen_at IS 'When its last line was counted.';

CREATE VIEW report.stream_launch AS
SELECT launch_id, job, epoch, launched_at, ended_at, end_reason FROM stream.launch;
COMMENT ON VIEW report.stream_launch IS 'Every start of a detached job: when, and why it ended.';
COMMENT ON COLUMN report.stream_launch.launch_id IS 'Token of the launch.';
COMMENT ON COLUMN report.stream_launch.job IS 'traffic_stream or log_generator.';
COMMENT ON COLUMN report.stream_launch.epoch IS 'Fencing epoch the launch took (stream job only).';
COMMENT ON COLUMN report.stream_launch.launched_at IS 'When it was started.';
COMMENT ON COLUMN report.stream_launch.ended_at IS 'When its end was noticed.';
COMMENT ON COLUMN report.stream_launch.end_reason IS 'Why it ended, in words.';

CREATE VIEW report.hour_state AS
SELECT t.site, t.hour_start,
       CASE WHEN h.ledger_id >= t.last_ledger_id THEN 'reported'
            WHEN h.ledger_id IS NOT NULL THEN 'dirty'
            WHEN report.hour_closes_at(t.hour_start) <= now() THEN 'due'
            ELSE 'open' END AS state,
       h.revision, r.cause, r.hits_delta, r.made_at, t.last_ledger_id AS touched_ledger_id,
       h.ledger_id AS checked_ledger_id, s.seal, s.reason AS seal_reason, s.sealed_at
FROM stream.touched_hour AS t
LEFT JOIN report.hour_checked AS h USING (site, hour_start)
LEFT JOIN report.hour_revision AS r USING (site, hour_start, revision)
LEFT JOIN quality.current_seal AS s USING (site, hour_start);
COMMENT ON VIEW report.hour_state IS 'Every hour with traffic: whether it is reported, up to date and sealed.';
COMMENT ON COLUMN report.hour_state.site IS 'Which site.';
COMMENT ON COLUMN report.hour_state.hour_start IS 'Start of the UTC hour.';
COMMENT ON COLUMN report.hour_state.state IS 'open: not closed yet; due: closed, no report; reported: up to date; dirty: late data came after the report.';
COMMENT ON COLUMN report.hour_state.revision IS 'Latest revision; null before the first report.';
COMMENT ON COLUMN report.hour_state.cause IS 'Why that revision was made.';
COMMENT ON COLUMN report.hour_state.hits_delta IS 'Hits that moved with that revision.';
COMMENT ON COLUMN report.hour_state.made_at IS 'When that revision was published.';
COMMENT ON COLUMN report.hour_state.touched_ledger_id IS 'Last row of the ledger that added to this hour.';
COMMENT ON COLUMN report.hour_state.checked_ledger_id IS 'Last row of the ledger up to which the report is known to be right.';
COMMENT ON COLUMN report.hour_state.seal IS 'green, amber, red or unchecked; null before the first report.';
COMMENT ON COLUMN report.hour_state.seal_reason IS 'Which expectations failed, or why there is no verdict.';
COMMENT ON COLUMN report.hour_state.sealed_at IS 'When it was sealed.';

CREATE VIEW report.hour_summary AS
SELECT count(*) AS hours,
       count(*) FILTER (WHERE state = 'open') AS hours_open,
       count(*) FILTER (WHERE state = 'due') AS hours_due,
       count(*) FILTER (WHERE state = 'reported') AS hours_reported,
       count(*) FILTER (WHERE state = 'dirty') AS hours_dirty,
       count(*) FILTER (WHERE seal = 'green') AS seals_green,
       count(*) FILTER (WHERE seal = 'amber') AS seals_amber,
       count(*) FILTER (WHERE seal = 'red') AS seals_red,
       count(*) FILTER (WHERE seal = 'unchecked') AS seals_unchecked,
       max(made_at) AS last_made_at, max(sealed_at) AS last_sealed_at
FROM report.hour_state;
COMMENT ON VIEW report.hour_summary IS 'report.hour_state counted, in one row over all sites.';
COMMENT ON COLUMN report.hour_summary.hours IS 'Hours with traffic.';
COMMENT ON COLUMN report.hour_summary.hours_open IS 'Not closed yet.';
COMMENT ON COLUMN report.hour_summary.hours_due IS 'Closed, but without a report.';
COMMENT ON COLUMN report.hour_summary.hours_reported IS 'Reported and up to date.';
COMMENT ON COLUMN report.hour_summary.hours_dirty IS 'Reported, but late data came after the report.';
COMMENT ON COLUMN report.hour_summary.seals_green IS 'Latest revisions whose seal is green.';
COMMENT ON COLUMN report.hour_summary.seals_amber IS 'Latest revisions whose seal is amber.';
COMMENT ON COLUMN report.hour_summary.seals_red IS 'Latest revisions whose seal is red.';
COMMENT ON COLUMN report.hour_summary.seals_unchecked IS 'Latest revisions without a verdict.';
COMMENT ON COLUMN report.hour_summary.last_made_at IS 'When the newest revision was published.';
COMMENT ON COLUMN report.hour_summary.last_sealed_at IS 'When the newest seal was given.';

GRANT SELECT ON report.stream_status, report.ledger_total, report.rejected_reason, report.rejected_line,
    report.lost_range, report.source, report.stream_launch, report.hour_state, report.hour_summary TO footfall_reporter, footfall_reader;

RESET ROLE;
