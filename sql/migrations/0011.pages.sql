-- depends: 0009.trends
-- What the pages look at beyond the reports: the stream's progress over time, its partitions and restarts, samples of
-- rejected lines, gaps of sources, and incidents of the checks. Owner's rights: a reader sees these columns only.

SET LOCAL ROLE footfall_owner;

CREATE TABLE stream.progress (
    slot_start    timestamptz PRIMARY KEY CHECK (extract(epoch FROM slot_start)::bigint % 10 = 0),
    batch_seconds double precision[] NOT NULL,
    lag_records   bigint,
    delay_seconds double precision,
    memory_bytes  bigint CHECK (memory_bytes >= 0)
);
COMMENT ON TABLE stream.progress IS 'How the stream job did, by 10 seconds: kept at its heartbeats. A slot without a row is time without a heartbeat.';
COMMENT ON COLUMN stream.progress.slot_start IS 'Start of the 10 s by the database''s clock, UTC.';
COMMENT ON COLUMN stream.progress.batch_seconds IS 'Durations of the batches that a heartbeat found finished, in seconds; empty when none was.';
COMMENT ON COLUMN stream.progress.lag_records IS 'Most records in Kafka that were not counted yet; null when Kafka did not tell.';
COMMENT ON COLUMN stream.progress.delay_seconds IS 'Longest time between Kafka receiving a record and its being counted, at most so many seconds; null when not known.';
COMMENT ON COLUMN stream.progress.memory_bytes IS 'Most memory that the job''s processes held together, in bytes; null when not measured.';

CREATE TABLE stream.partition_end (
    topic_id        uuid NOT NULL REFERENCES stream.topic,
    kafka_partition integer NOT NULL CHECK (kafka_partition >= 0),
    end_offset      bigint NOT NULL CHECK (end_offset >= 0),
    asked_at        timestamptz NOT NULL,
    PRIMARY KEY (topic_id, kafka_partition)
) WITH (fillfactor = 50);
COMMENT ON TABLE stream.partition_end IS 'How far Kafka was when the stream job last asked.';
COMMENT ON COLUMN stream.partition_end.topic_id IS 'Topic incarnation.';
COMMENT ON COLUMN stream.partition_end.kafka_partition IS 'Kafka partition.';
COMMENT ON COLUMN stream.partition_end.end_offset IS 'Offset that the next record will get.';
COMMENT ON COLUMN stream.partition_end.asked_at IS 'When that was so.';

GRANT SELECT ON stream.progress, stream.partition_end TO footfall_writer, footfall_reporter;
GRANT INSERT, UPDATE ON stream.progress, stream.partition_end TO footfall_writer;
GRANT DELETE ON stream.progress TO footfall_writer;

CREATE VIEW report.stream_lag AS
SELECT lag_records, caught_up_to, date_bin('10 seconds', caught_up_to - interval '3 seconds', timestamptz 'epoch') AS closed_until, heartbeat_at
FROM stream.lease;
COMMENT ON VIEW report.stream_lag IS 'How far counting is behind Kafka, in one row.';
COMMENT ON COLUMN report.stream_lag.lag_records IS 'Records in Kafka that are not counted yet, as of the heartbeat; null when Kafka does not tell.';
COMMENT ON COLUMN report.stream_lag.caught_up_to IS 'Every record that Kafka had received by this moment is counted.';
COMMENT ON COLUMN report.stream_lag.closed_until IS 'End of the newest 10 s bucket that is closed: all that Kafka had received by then, and 3 s more for delivery, is counted.';
COMMENT ON COLUMN report.stream_lag.heartbeat_at IS 'Last sign of life of the stream job.';

CREATE VIEW report.stream_progress AS
SELECT slot_start, batch_seconds, lag_records, delay_seconds, memory_bytes FROM stream.progress;
COMMENT ON VIEW report.stream_progress IS 'How the stream job did, by 10 seconds. A slot that is missing is time without a heartbeat: unknown, not zero.';
COMMENT ON COLUMN report.stream_progress.slot_start IS 'Start of the 10 s.';
COMMENT ON COLUMN report.stream_progress.batch_seconds IS 'Durations of the batches seen at a heartbeat, in seconds.';
COMMENT ON COLUMN report.stream_progress.lag_records IS 'Most records in Kafka that were not counted yet; null when Kafka did not tell.';
COMMENT ON COLUMN report.stream_progress.delay_seconds IS 'Longest time between Kafka receiving a record and its being counted, at most.';
COMMENT ON COLUMN report.stream_progress.memory_bytes IS 'Most memory that the job''s processes held together, in bytes; null when not measured.';

CREATE VIEW report.ledger AS
SELECT l.ledger_id, t.topic, l.topic_id, l.kafka_partition, lower(l.offsets) AS from_offset,
       upper(l.offsets) AS until_offset, l.consumed, l.accepted, l.rejected, l.duplicate, l.unsourced, l.epoch,
       l.committed_at
FROM stream.ledger AS l
JOIN stream.topic AS t USING (topic_id);
COMMENT ON VIEW report.ledger IS 'One row per batch and partition: which offsets were read and what became of their records. Filter by committed_at.';
COMMENT ON COLUMN report.ledger.ledger_id IS 'Grows with every batch; reports name the last one they include.';
COMMENT ON COLUMN report.ledger.topic IS 'Name of the topic.';
COMMENT ON COLUMN report.ledger.topic_id IS 'Topic incarnation.';
COMMENT ON COLUMN report.ledger.kafka_partition IS 'Kafka partition.';
COMMENT ON COLUMN report.ledger.from_offset IS 'First offset read.';
COMMENT ON COLUMN report.ledger.until_offset IS 'First offset after them.';
COMMENT ON COLUMN report.ledger.consumed IS 'Records read = accepted + rejected + duplicate.';
COMMENT ON COLUMN report.ledger.accepted IS 'Records counted into the buckets.';
COMMENT ON COLUMN report.ledger.rejected IS 'Records that break the wire contract.';
COMMENT ON COLUMN report.ledger.duplicate IS 'Records whose (source, seq) had been counted before.';
COMMENT ON COLUMN report.ledger.unsourced IS 'Records without source and seq.';
COMMENT ON COLUMN report.ledger.epoch IS 'Fencing epoch of the launch that counted it.';
COMMENT ON COLUMN report.ledger.committed_at IS 'When the batch was written.';

CREATE VIEW report.partition AS
SELECT t.topic, t.cluster_id, p.topic_id, t.first_seen_at, p.kafka_partition, p.next_offset, e.end_offset,
       greatest(0, e.end_offset - p.next_offset) AS lag_records, e.asked_at
FROM stream.position AS p
JOIN stream.topic AS t USING (topic_id)
LEFT JOIN stream.partition_end AS e USING (topic_id, kafka_partition);
COMMENT ON VIEW report.partition IS 'How far each partition is counted, and how far Kafka is.';
COMMENT ON COLUMN report.partition.topic IS 'Name of the topic.';
COMMENT ON COLUMN report.partition.cluster_id IS 'Kafka''s cluster id.';
COMMENT ON COLUMN report.partition.topic_id IS 'Topic incarnation.';
COMMENT ON COLUMN report.partition.first_seen_at IS 'When the stream job first met that incarnation.';
COMMENT ON COLUMN report.partition.kafka_partition IS 'Kafka partition.';
COMMENT ON COLUMN report.partition.next_offset IS 'First offset not counted yet.';
COMMENT ON COLUMN report.partition.end_offset IS 'Offset that the next record will get, when Kafka was last asked; null before.';
COMMENT ON COLUMN report.partition.lag_records IS 'Records in Kafka that are not counted yet.';
COMMENT ON COLUMN report.partition.asked_at IS 'When Kafka was asked.';

-- What a restart did to the records: for each partition, where the first batch after it began against where the last
-- one before it ended. The ledger's exclusion constraint makes offsets_doubled 0 whatever happens.
CREATE VIEW report.stream_restart AS
SELECT ended.launch_id, ended.job, ended.epoch, ended.ended_at, ended.end_reason, next.launched_at AS relaunched_at,
       next.epoch AS next_epoch, first_batch.committed_at AS counting_again_at, seam.offsets_missing,
       seam.offsets_doubled
FROM stream.launch AS ended
LEFT JOIN LATERAL (
    SELECT n.launched_at, n.epoch
    FROM stream.launch AS n
    WHERE n.job = ended.job AND n.launched_at > ended.launched_at
      AND (n.epoch IS NOT NULL OR n.job <> 'traffic_stream')
    ORDER BY n.launched_at
    LIMIT 1
) AS next ON true
LEFT JOIN LATERAL (
    SELECT l.committed_at
    FROM stream.ledger AS l
    WHERE l.epoch = next.epoch AND l.committed_at >= next.launched_at
      AND l.committed_at < next.launched_at + interval '1 hour'
    ORDER BY l.committed_at
    LIMIT 1
) AS first_batch ON true
LEFT JOIN LATERAL (
    SELECT sum(greatest(0, lower(after.offsets) - upper(before.offsets)))::bigint AS offsets_missing,
           sum(greatest(0, upper(before.offsets) - lower(after.offsets)))::bigint AS offsets_doubled
    FROM stream.position AS p
    CROSS JOIN LATERAL (
        SELECT l.offsets, l.committed_at
        FROM stream.ledger AS l
        WHERE (l.topic_id, l.kafka_partition, l.epoch) = (p.topic_id, p.kafka_partition, next.epoch)
          AND l.committed_at >= first_batch.committed_at
          AND l.committed_at < first_batch.committed_at + interval '1 hour'
        ORDER BY l.committed_at
        LIMIT 1
    ) AS after
    CROSS JOIN LATERAL (
        SELECT l.offsets
        FROM stream.ledger AS l
        WHERE (l.topic_id, l.kafka_partition) = (p.topic_id, p.kafka_partition)
          AND l.committed_at < after.committed_at
        ORDER BY l.committed_at DESC
        LIMIT 1
    ) AS before
) AS seam ON true
WHERE ended.ended_at IS NOT NULL;
COMMENT ON VIEW report.stream_restart IS 'Each launch of a detached job that ended: why, when it counted again, and what that did to the records. Filter by ended_at.';
COMMENT ON COLUMN report.stream_restart.launch_id IS 'Token of the launch that ended.';
COMMENT ON COLUMN report.stream_restart.job IS 'traffic_stream or log_generator.';
COMMENT ON COLUMN report.stream_restart.epoch IS 'Its fencing epoch; null when it never took the lease.';
COMMENT ON COLUMN report.stream_restart.ended_at IS 'When its end was noticed.';
COMMENT ON COLUMN report.stream_restart.end_reason IS 'Why it ended, in words.';
COMMENT ON COLUMN report.stream_restart.relaunched_at IS 'When the next launch was started; null while there is none.';
COMMENT ON COLUMN report.stream_restart.next_epoch IS 'Epoch of that launch.';
COMMENT ON COLUMN report.stream_restart.counting_again_at IS 'When its first batch was written; null when none was within an hour.';
COMMENT ON COLUMN report.stream_restart.offsets_missing IS 'Offsets between the last batch before and the first one after, over all partitions: records that nobody counted.';
COMMENT ON COLUMN report.stream_restart.offsets_doubled IS 'Offsets that both counted.';

CREATE VIEW report.process AS
SELECT 'stream driver' AS process,
       CASE WHEN now_open.launch_id IS NULL THEN 'down'
            WHEN l.state IN ('counting', 'idle') AND l.heartbeat_at > clock_timestamp() - interval '30 seconds' THEN 'running'
            WHEN l.state IN ('starting', 'waiting') THEN l.state
            ELSE 'silent' END AS state,
       now_open.pid, coalesce(now_open.launched_at, last_ended.ended_at) AS since,
       CASE WHEN now_open.launch_id IS NOT NULL THEN
           (SELECT p.memory_bytes FROM stream.progress AS p
            WHERE p.slot_start > clock_timestamp() - interval '40 seconds' ORDER BY p.slot_start DESC LIMIT 1)
       END AS memory_bytes,
       (SELECT count(*) FROM stream.launch AS e
        WHERE e.job = 'traffic_stream' AND e.ended_at > now() - interval '24 hours') AS ended_24h
FROM stream.lease AS l
LEFT JOIN LATERAL (
    SELECT launch_id, pid, launched_at FROM stream.launch
    WHERE job = 'traffic_stream' AND ended_at IS NULL ORDER BY launched_at DESC LIMIT 1
) AS now_open ON true
LEFT JOIN LATERAL (
    SELECT max(ended_at) AS ended_at FROM stream.launch WHERE job = 'traffic_stream'
) AS last_ended ON true
UNION ALL
SELECT 'log generator', CASE WHEN newest.ended_at IS NULL THEN 'running' ELSE 'ended' END,
       CASE WHEN newest.ended_at IS NULL THEN newest.pid END, coalesce(newest.ended_at, newest.launched_at), NULL,
       (SELECT count(*) FROM stream.launch AS e
        WHERE e.job = 'log_generator' AND e.ended_at > now() - interval '24 hours')
FROM (SELECT pid, launched_at, ended_at FROM stream.launch
      WHERE job = 'log_generator' ORDER BY launched_at DESC LIMIT 1) AS newest
UNION ALL
SELECT 'Kafka broker', CASE WHEN l.heartbeat_at <= clock_timestamp() - interval '30 seconds' THEN 'unknown'
                            WHEN l.lag_records IS NULL THEN 'silent' ELSE 'running' END,
       NULL, NULL, NULL, NULL
FROM stream.lease AS l
UNION ALL
SELECT 'Postgres', 'running', NULL, pg_postmaster_start_time(), NULL, NULL;
COMMENT ON VIEW report.process IS 'The processes as the lease and the launches show them. Airflow''s own are on Airflow''s home page.';
COMMENT ON COLUMN report.process.process IS 'Which one.';
COMMENT ON COLUMN report.process.state IS 'running, starting, waiting, silent (no answer), down, ended, or unknown while nobody asks it.';
COMMENT ON COLUMN report.process.pid IS 'Process id on its host; null when not known here.';
COMMENT ON COLUMN report.process.since IS 'Since when it runs, or is down; null when not known here.';
COMMENT ON COLUMN report.process.memory_bytes IS 'Memory it held within the last 40 s, with its children, in bytes; null when not known here.';
COMMENT ON COLUMN report.process.ended_24h IS 'How often it ended in the last 24 hours; null when not known here.';

CREATE VIEW report.rejected_sample AS
SELECT r.reason, r.received_at, t.topic, r.kafka_partition, r.kafka_offset, r.source, r.seq, r.sample
FROM stream.rejected_record AS r
JOIN stream.topic AS t USING (topic_id);
COMMENT ON VIEW report.rejected_sample IS 'Samples of rejected records: how they begin, as printable ASCII with addresses masked. A bounded number per batch and reason.';
COMMENT ON COLUMN report.rejected_sample.reason IS 'Why, naming the field.';
COMMENT ON COLUMN report.rejected_sample.received_at IS 'When Kafka received it.';
COMMENT ON COLUMN report.rejected_sample.topic IS 'Name of the topic.';
COMMENT ON COLUMN report.rejected_sample.kafka_partition IS 'Kafka partition.';
COMMENT ON COLUMN report.rejected_sample.kafka_offset IS 'Kafka offset.';
COMMENT ON COLUMN report.rejected_sample.source IS 'Source, when it could still be read.';
COMMENT ON COLUMN report.rejected_sample.seq IS 'Line number in the source, when it could still be read.';
COMMENT ON COLUMN report.rejected_sample.sample IS 'Start of the record.';

CREATE VIEW report.source_gap AS
SELECT s.source, s.site, lower(gap) AS from_line, upper(gap) AS until_line, upper(gap) - lower(gap) AS lines_missing,
       s.last_seen_at
FROM stream.source_range AS s
CROSS JOIN LATERAL unnest(
    int8multirange(int8range(1, upper(range_merge(s.counted)))) - s.counted
) AS gap;
COMMENT ON VIEW report.source_gap IS 'Lines of a source that are not here yet, though later ones are. If they come, the reports of their hours get another revision.';
COMMENT ON COLUMN report.source_gap.source IS 'Fingerprint of a log file, or a generator run.';
COMMENT ON COLUMN report.source_gap.site IS 'Site of its first line.';
COMMENT ON COLUMN report.source_gap.from_line IS 'First line missing.';
COMMENT ON COLUMN report.source_gap.until_line IS 'First line after them.';
COMMENT ON COLUMN report.source_gap.lines_missing IS 'How many.';
COMMENT ON COLUMN report.source_gap.last_seen_at IS 'When the last line of the source was counted.';

-- ---- live: totals by 10 s, so that a chart of hours reads one row a bucket and not one a page and country
CREATE TABLE stream.site_bucket (
    site           text NOT NULL,
    bucket_start   timestamptz NOT NULL CHECK (extract(epoch FROM bucket_start)::bigint % 10 = 0),
    hits           bigint NOT NULL CHECK (hits > 0),
    bytes_sent     bigint NOT NULL CHECK (bytes_sent >= 0),
    client_errors  bigint NOT NULL CHECK (client_errors BETWEEN 0 AND hits),
    server_errors  bigint NOT NULL CHECK (server_errors BETWEEN 0 AND hits),
    latency_us_sum bigint NOT NULL CHECK (latency_us_sum >= 0),
    latency_count  bigint NOT NULL CHECK (latency_count BETWEEN 0 AND hits),
    PRIMARY KEY (site, bucket_start)
) WITH (fillfactor = 70);
COMMENT ON TABLE stream.site_bucket IS 'Hits by site and 10 seconds: the sum of stream.traffic_bucket over pages, countries, status and agent classes, written in the same transaction.';
COMMENT ON COLUMN stream.site_bucket.site IS 'Which site.';
COMMENT ON COLUMN stream.site_bucket.bucket_start IS 'Start of the 10 s bucket, UTC, by the time in the log line.';
COMMENT ON COLUMN stream.site_bucket.hits IS 'Number of lines.';
COMMENT ON COLUMN stream.site_bucket.bytes_sent IS 'Bytes sent.';
COMMENT ON COLUMN stream.site_bucket.client_errors IS 'Answers with status 4xx.';
COMMENT ON COLUMN stream.site_bucket.server_errors IS 'Answers with status 5xx.';
COMMENT ON COLUMN stream.site_bucket.latency_us_sum IS 'Sum of latencies in microseconds, over the lines that have one.';
COMMENT ON COLUMN stream.site_bucket.latency_count IS 'Number of lines that have a latency.';
INSERT INTO stream.site_bucket
SELECT p.site, b.bucket_start, sum(b.hits), sum(b.bytes_sent), coalesce(sum(b.hits) FILTER (WHERE b.status_class = 4), 0),
       coalesce(sum(b.hits) FILTER (WHERE b.status_class = 5), 0), sum(b.latency_us_sum), sum(b.latency_count)
FROM stream.traffic_bucket AS b
JOIN stream.page AS p USING (page_id)
GROUP BY p.site, b.bucket_start;
GRANT SELECT ON stream.site_bucket TO footfall_writer, footfall_reporter;
GRANT INSERT, UPDATE, DELETE ON stream.site_bucket TO footfall_writer;

CREATE VIEW report.live_bucket AS
SELECT site, bucket_start, hits, bytes_sent, client_errors, server_errors, latency_us_sum, latency_count
FROM stream.site_bucket;
COMMENT ON VIEW report.live_bucket IS 'Hits by site and 10 seconds, as counted at this moment; a bucket without lines has no row. Filter by site and bucket_start.';

CREATE VIEW report.standstill AS
SELECT span_start, span_end, records_lost FROM stream.standstill;
COMMENT ON COLUMN report.standstill.span_start IS 'Up to here everything that Kafka had received was counted in time.';
COMMENT ON COLUMN report.standstill.span_end IS 'From here on again.';
COMMENT ON COLUMN report.standstill.records_lost IS 'Whether Kafka no longer had some records of that time.';
COMMENT ON COLUMN report.live_bucket.site IS 'Which site.';
COMMENT ON COLUMN report.live_bucket.bucket_start IS 'Start of the 10 s bucket, UTC, by the time in the log line.';
COMMENT ON VIEW report.standstill IS 'Times in which counting stood still: buckets in them that stayed empty are unknown, not zero; where records were lost all are.';

CALL report.comment_columns();

-- ---- live: any span of 10 s buckets, as counted at this moment
CREATE FUNCTION report.live_latency(site text, start_at timestamptz, end_at timestamptz) RETURNS TABLE (
    path text, latency_count bigint, p50_ms double precision, p95_ms double precision, p99_ms double precision
)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
AS $$
    SELECT bin.path, sum(bin.count)::bigint,
           report.latency_percentile_ms(array_agg(bin.bin ORDER BY bin.bin), array_agg(bin.count ORDER BY bin.bin), 0.5, max(bin.latency_us_max)),
           report.latency_percentile_ms(array_agg(bin.bin ORDER BY bin.bin), array_agg(bin.count ORDER BY bin.bin), 0.95, max(bin.latency_us_max)),
           report.latency_percentile_ms(array_agg(bin.bin ORDER BY bin.bin), array_agg(bin.count ORDER BY bin.bin), 0.99, max(bin.latency_us_max))
    FROM (
        SELECT p.path, part.bin, sum(part.count)::bigint AS count, max(b.latency_us_max) AS latency_us_max
        FROM stream.latency_bin AS b
        JOIN stream.page AS p USING (page_id)
        CROSS JOIN LATERAL unnest(b.bins, b.counts) AS part (bin, count)
        WHERE p.site = live_latency.site AND b.bucket_start >= live_latency.start_at
          AND b.bucket_start < live_latency.end_at
        GROUP BY GROUPING SETS ((p.path, part.bin), (part.bin))
    ) AS bin
    GROUP BY bin.path
$$;
COMMENT ON FUNCTION report.live_latency IS 'Latency percentiles of a span of 10 s buckets, by page and (path null) of all pages, in milliseconds within 1 %; no row when none was measured.';

CREATE FUNCTION report.live_visitors(site text, start_at timestamptz, end_at timestamptz) RETURNS TABLE (
    key_id text, visitors bigint, visitors_bound bigint, exact boolean
)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
AS $$
    SELECT united.key_id, report.visitor_estimate(united.hashes, united.theta),
           report.visitor_bound(united.hashes, united.theta), united.theta = 9223372036854775807
    FROM (
        SELECT held.key_id, held.theta, count(held.hash) AS hashes
        FROM (
            SELECT DISTINCT sketch.key_id, sketch.theta, one.hash
            FROM (
                SELECT k.key_id, k.sketch, min(report.theta(k.sketch)) OVER (PARTITION BY k.key_id) AS theta
                FROM stream.visitor_sketch AS k
                WHERE k.site = live_visitors.site AND k.minute_start >= live_visitors.start_at
                  AND k.minute_start < live_visitors.end_at
            ) AS sketch
            LEFT JOIN LATERAL unnest(report.theta_hashes(sketch.sketch)) AS one (hash) ON one.hash < sketch.theta
        ) AS held
        GROUP BY held.key_id, held.theta
    ) AS united
$$;
COMMENT ON FUNCTION report.live_visitors IS 'Distinct visitors of a span of minutes, one row a visitor key, with the half width of their 95 % interval: a union of sketches, as counted at this moment.';

CREATE FUNCTION report.page_series(site text, paths text[], start_at timestamptz, end_at timestamptz) RETURNS TABLE (
    path text, bucket_start timestamptz, hits bigint
)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
AS $$
    SELECT p.path, step.bucket_start, counted.hits
    FROM stream.page AS p
    CROSS JOIN generate_series(page_series.start_at, page_series.end_at - interval '10 seconds', interval '10 seconds')
        AS step (bucket_start)
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(b.hits), 0)::bigint AS hits
        FROM stream.traffic_bucket AS b
        WHERE b.bucket_start = step.bucket_start AND b.page_id = p.page_id
    ) AS counted
    WHERE p.site = page_series.site AND p.path = ANY (page_series.paths)
$$;
COMMENT ON FUNCTION report.page_series IS 'Hits of some pages by 10 s in [start_at, end_at), as counted at this moment, empty buckets as 0. start_at must be the start of a bucket.';

-- One page is a few rows in each bucket: asked bucket by bucket they come from the key, where a range would read all pages.
CREATE FUNCTION report.page_cell(site text, path text, start_at timestamptz, end_at timestamptz) RETURNS TABLE (
    country text, status_class smallint, agent_class text, hits bigint
)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
AS $$
    SELECT b.country, b.status_class, b.agent_class, sum(b.hits)::bigint
    FROM stream.page AS p
    CROSS JOIN generate_series(date_bin('10 seconds', page_cell.start_at, timestamptz 'epoch'),
                               page_cell.end_at - interval '10 seconds', interval '10 seconds') AS at (bucket_start)
    CROSS JOIN LATERAL (
        SELECT c.country, c.status_class, c.agent_class, c.hits
        FROM stream.traffic_bucket AS c
        WHERE c.bucket_start = at.bucket_start AND c.page_id = p.page_id
        OFFSET 0
    ) AS b
    WHERE p.site = page_cell.site AND p.path = page_cell.path
    GROUP BY b.country, b.status_class, b.agent_class
$$;
COMMENT ON FUNCTION report.page_cell IS 'Country by status class by agent class of one page, in any range of 10 s buckets, as counted at this moment. Buckets are kept for a limited time; there are no revisions of it.';

-- ---- visitors: as before, but distinct by hashing, since count(DISTINCT) sorts them, which takes four times as long
CREATE OR REPLACE FUNCTION report.visitors(
    site text, start_at timestamptz, end_at timestamptz, known_at timestamptz DEFAULT 'infinity',
    agent_class text DEFAULT NULL
) RETURNS TABLE (key_id text, visitors bigint, visitors_bound bigint, exact boolean)
    LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    WITH sketch AS MATERIALIZED (
        SELECT v.key_id, v.sketch, min(report.theta(v.sketch)) OVER (PARTITION BY v.key_id) AS theta
        FROM report.known_hour(visitors.site, visitors.start_at, visitors.end_at, visitors.known_at) AS h
        JOIN report.hourly_visitor AS v
            ON v.site = visitors.site AND v.hour_start = h.hour_start AND v.revision = h.revision
        WHERE visitors.agent_class IS NULL OR v.agent_class = visitors.agent_class
    ), united AS (
        SELECT d.key_id, d.theta, count(d.hash) AS hashes
        FROM (
            SELECT DISTINCT s.key_id, s.theta, held.hash
            FROM sketch AS s
            LEFT JOIN LATERAL unnest(report.theta_hashes(s.sketch)) AS held (hash) ON held.hash < s.theta
        ) AS d
        GROUP BY d.key_id, d.theta
    )
    SELECT u.key_id, report.visitor_estimate(u.hashes, u.theta), report.visitor_bound(u.hashes, u.theta),
           u.theta = 9223372036854775807
    FROM united AS u
    ORDER BY u.key_id
$$;

-- ---- quality
ALTER TABLE quality.expectation
    ADD COLUMN lowest double precision,
    ADD COLUMN highest double precision,
    ADD COLUMN rule text NOT NULL DEFAULT '';
COMMENT ON COLUMN quality.expectation.lowest IS 'Least value that passes; null when there is no such limit.';
COMMENT ON COLUMN quality.expectation.highest IS 'Largest value that passes; null when there is no such limit.';
COMMENT ON COLUMN quality.expectation.rule IS 'The expectation of Great Expectations that judges, with its columns and options.';

CREATE INDEX ON quality.result (site, suite, expectation, run_id);

ALTER TABLE quality.result ADD COLUMN failing_rows integer CHECK (failing_rows >= 0);
COMMENT ON COLUMN quality.result.failing_rows IS 'How many rows of what it looked at failed; the first ones are in quality.failing_row. Null: not noted yet then.';

CREATE TABLE quality.failing_row (
    run_id      bigint NOT NULL,
    site        text NOT NULL,
    hour_start  timestamptz NOT NULL,
    revision    integer NOT NULL,
    suite       text NOT NULL,
    expectation text NOT NULL,
    place       integer NOT NULL CHECK (place BETWEEN 1 AND 100),
    dimension   text NOT NULL,
    key         text NOT NULL CHECK (length(key) <= 200),
    seen        jsonb NOT NULL CHECK (jsonb_typeof(seen) = 'object'),
    PRIMARY KEY (site, hour_start, revision, run_id, suite, expectation, place),
    FOREIGN KEY (site, hour_start, revision, run_id, suite, expectation) REFERENCES quality.result
);
COMMENT ON TABLE quality.failing_row IS 'The first rows that made an expectation fail, as they were then: at most 100 a result. Append-only.';
COMMENT ON COLUMN quality.failing_row.run_id IS 'Run that checked it.';
COMMENT ON COLUMN quality.failing_row.site IS 'Which site.';
COMMENT ON COLUMN quality.failing_row.hour_start IS 'Start of the UTC hour.';
COMMENT ON COLUMN quality.failing_row.revision IS 'Revision of the hour that was checked.';
COMMENT ON COLUMN quality.failing_row.suite IS 'traffic_bucket or hourly_report.';
COMMENT ON COLUMN quality.failing_row.expectation IS 'Name of the expectation.';
COMMENT ON COLUMN quality.failing_row.place IS 'Which of the failing rows, from 1.';
COMMENT ON COLUMN quality.failing_row.dimension IS 'What the row is of: hour (facts of the whole hour), total, page, country, status, text or a further dimension.';
COMMENT ON COLUMN quality.failing_row.key IS 'Which page, country and so on, with addresses masked; empty for the hour.';
COMMENT ON COLUMN quality.failing_row.seen IS 'What the expectation looked at in that row, by column: numbers, or text with addresses masked.';
GRANT SELECT ON quality.failing_row TO footfall_reporter, footfall_reader;
GRANT INSERT ON quality.failing_row TO footfall_reporter;

CREATE TABLE quality.incident (
    incident_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site            text NOT NULL,
    suite           text NOT NULL,
    expectation     text NOT NULL,
    severity        text NOT NULL CHECK (severity IN ('critical', 'warning')),
    opened_at       timestamptz NOT NULL,
    opened_run_id   bigint NOT NULL REFERENCES quality.run,
    closed_at       timestamptz CHECK (closed_at >= opened_at),
    closed_run_id   bigint REFERENCES quality.run,
    acknowledged_at timestamptz,
    acknowledged_by text CHECK (length(acknowledged_by) <= 200),
    note            text CHECK (length(note) BETWEEN 1 AND 500),
    FOREIGN KEY (suite, expectation) REFERENCES quality.expectation,
    CHECK (num_nulls(acknowledged_at, acknowledged_by, note) IN (0, 3)),
    CHECK (num_nulls(closed_at, closed_run_id) IN (0, 2))
);
CREATE UNIQUE INDEX ON quality.incident (site, suite, expectation) WHERE closed_at IS NULL;
CREATE INDEX ON quality.incident (opened_at);
COMMENT ON TABLE quality.incident IS 'The time during which an expectation fails for a site: opens with the run that finds a failure, closes with the run that finds none. The hours keep their own seals.';
COMMENT ON COLUMN quality.incident.incident_id IS 'Number of the incident.';
COMMENT ON COLUMN quality.incident.site IS 'Which site.';
COMMENT ON COLUMN quality.incident.suite IS 'traffic_bucket or hourly_report.';
COMMENT ON COLUMN quality.incident.expectation IS 'Name of the expectation.';
COMMENT ON COLUMN quality.incident.severity IS 'What the failure does to a seal: critical makes it red, warning amber.';
COMMENT ON COLUMN quality.incident.opened_at IS 'When the first failing run ended.';
COMMENT ON COLUMN quality.incident.opened_run_id IS 'That run.';
COMMENT ON COLUMN quality.incident.closed_at IS 'When a run found it passing again; null while it is open.';
COMMENT ON COLUMN quality.incident.closed_run_id IS 'That run.';
COMMENT ON COLUMN quality.incident.acknowledged_at IS 'When somebody took it on; null while nobody has.';
COMMENT ON COLUMN quality.incident.acknowledged_by IS 'Who, as Airflow calls the user.';
COMMENT ON COLUMN quality.incident.note IS 'What they said.';
GRANT SELECT ON quality.incident TO footfall_reporter, footfall_reader;
GRANT INSERT, UPDATE ON quality.incident TO footfall_reporter;

GRANT SELECT ON report.live_bucket, report.standstill, report.stream_lag, report.stream_progress, report.ledger, report.partition, report.stream_restart, report.process,
    report.rejected_sample, report.source_gap TO footfall_reporter, footfall_reader;

RESET ROLE;
