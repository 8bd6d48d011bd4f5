-- depends: 0001.roles-and-schemas
-- What the stream job writes. One batch is one transaction over all of these tables.

SET LOCAL ROLE footfall_owner;

CREATE TABLE stream.topic (
    topic_id      uuid PRIMARY KEY,
    cluster_id    text NOT NULL,
    topic         text NOT NULL,
    first_seen_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE stream.topic IS 'Each incarnation of the topic, by its Kafka topic id: a topic made anew under an old name is another one.';
COMMENT ON COLUMN stream.topic.topic_id IS 'Kafka''s topic id (KIP-516).';
COMMENT ON COLUMN stream.topic.cluster_id IS 'Kafka''s cluster id.';
COMMENT ON COLUMN stream.topic.topic IS 'Name of the topic.';
COMMENT ON COLUMN stream.topic.first_seen_at IS 'When the stream job first met it.';

CREATE TABLE stream.position (
    topic_id        uuid NOT NULL REFERENCES stream.topic,
    kafka_partition integer NOT NULL CHECK (kafka_partition >= 0),
    next_offset     bigint NOT NULL CHECK (next_offset >= 0),
    PRIMARY KEY (topic_id, kafka_partition)
) WITH (fillfactor = 50);
COMMENT ON TABLE stream.position IS 'How far each partition has been counted: the authority; Spark''s checkpoint is disposable.';
COMMENT ON COLUMN stream.position.topic_id IS 'Topic incarnation.';
COMMENT ON COLUMN stream.position.kafka_partition IS 'Kafka partition.';
COMMENT ON COLUMN stream.position.next_offset IS 'First offset not counted yet.';

CREATE TABLE stream.ledger (
    ledger_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic_id        uuid NOT NULL REFERENCES stream.topic,
    kafka_partition integer NOT NULL CHECK (kafka_partition >= 0),
    offsets         int8range NOT NULL CHECK (NOT isempty(offsets)),
    consumed        bigint NOT NULL CHECK (consumed >= 0),
    accepted        bigint NOT NULL CHECK (accepted >= 0),
    rejected        bigint NOT NULL CHECK (rejected >= 0),
    duplicate       bigint NOT NULL CHECK (duplicate >= 0),
    unsourced       bigint NOT NULL CHECK (unsourced BETWEEN 0 AND consumed),
    epoch           bigint NOT NULL,
    committed_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (consumed = accepted + rejected + duplicate),
    EXCLUDE USING gist (topic_id WITH =, kafka_partition WITH =, offsets WITH &&)
);
COMMENT ON TABLE stream.ledger IS 'One row per batch and partition: which offsets were read and what became of their records. Append-only.';
COMMENT ON COLUMN stream.ledger.ledger_id IS 'Grows with every batch; reports name the last one they include.';
COMMENT ON COLUMN stream.ledger.topic_id IS 'Topic incarnation.';
COMMENT ON COLUMN stream.ledger.kafka_partition IS 'Kafka partition.';
COMMENT ON COLUMN stream.ledger.offsets IS 'Offsets [from, until) that Spark planned for this batch; ranges cannot overlap.';
COMMENT ON COLUMN stream.ledger.consumed IS 'Records read in this range = accepted + rejected + duplicate.';
COMMENT ON COLUMN stream.ledger.accepted IS 'Records counted into the buckets.';
COMMENT ON COLUMN stream.ledger.rejected IS 'Records that break the wire contract, with a reason in stream.rejected_count.';
COMMENT ON COLUMN stream.ledger.duplicate IS 'Records whose (source, seq) had been counted before.';
COMMENT ON COLUMN stream.ledger.unsourced IS 'Records without source and seq: counted, but a re-send of them could not be noticed.';
COMMENT ON COLUMN stream.ledger.epoch IS 'Fencing epoch of the launch that counted it.';
COMMENT ON COLUMN stream.ledger.committed_at IS 'When the batch was written.';
CREATE INDEX ON stream.ledger (committed_at);

CREATE TABLE stream.lost_range (
    topic_id        uuid NOT NULL REFERENCES stream.topic,
    kafka_partition integer NOT NULL CHECK (kafka_partition >= 0),
    offsets         int8range NOT NULL CHECK (NOT isempty(offsets)),
    reason          text NOT NULL,
    recorded_at     timestamptz NOT NULL DEFAULT now(),
    EXCLUDE USING gist (topic_id WITH =, kafka_partition WITH =, offsets WITH &&)
);
COMMENT ON TABLE stream.lost_range IS 'Offsets that Kafka no longer had before they were counted. Append-only; empty on a good day.';
COMMENT ON COLUMN stream.lost_range.topic_id IS 'Topic incarnation.';
COMMENT ON COLUMN stream.lost_range.kafka_partition IS 'Kafka partition.';
COMMENT ON COLUMN stream.lost_range.offsets IS 'Offsets [from, until) that were lost.';
COMMENT ON COLUMN stream.lost_range.reason IS 'Why, in words.';
COMMENT ON COLUMN stream.lost_range.recorded_at IS 'When the stream job found out.';

CREATE TABLE stream.lease (
    only_row           boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    epoch              bigint NOT NULL DEFAULT 0,
    owner              text,
    desired_state      text NOT NULL DEFAULT 'running' CHECK (desired_state IN ('running', 'stopped')),
    state              text NOT NULL DEFAULT 'stopped'
                       CHECK (state IN ('starting', 'counting', 'idle', 'waiting', 'stopped', 'failed')),
    message            text NOT NULL DEFAULT '',
    started_at         timestamptz,
    heartbeat_at       timestamptz,
    last_batch_at      timestamptz,
    last_batch_seconds double precision,
    lag_records        bigint,
    caught_up_to       timestamptz,
    records_per_second double precision
) WITH (fillfactor = 50);
INSERT INTO stream.lease DEFAULT VALUES;
COMMENT ON TABLE stream.lease IS 'The one stream job that may write: its fencing epoch, its heartbeat, and what is wished of it.';
COMMENT ON COLUMN stream.lease.only_row IS 'There is one row.';
COMMENT ON COLUMN stream.lease.epoch IS 'Grows with every launch; a batch of an older epoch cannot commit.';
COMMENT ON COLUMN stream.lease.owner IS 'host:pid:launch of the job that holds the lease.';
COMMENT ON COLUMN stream.lease.desired_state IS 'running, or stopped: the job ends gracefully when it reads stopped.';
COMMENT ON COLUMN stream.lease.state IS 'starting, counting, idle (nothing new), waiting (for Kafka or Postgres), stopped, failed.';
COMMENT ON COLUMN stream.lease.message IS 'What the job says of its state, in words.';
COMMENT ON COLUMN stream.lease.started_at IS 'When this launch took the lease.';
COMMENT ON COLUMN stream.lease.heartbeat_at IS 'Last time the job wrote this row; state and message say whether it moves, idles, or waits.';
COMMENT ON COLUMN stream.lease.last_batch_at IS 'When the last batch was written.';
COMMENT ON COLUMN stream.lease.last_batch_seconds IS 'How long the last batch took, in seconds.';
COMMENT ON COLUMN stream.lease.lag_records IS 'Records in Kafka that are not counted yet, as of the heartbeat; null when Kafka does not tell.';
COMMENT ON COLUMN stream.lease.caught_up_to IS 'Every record that Kafka had received by this moment is counted.';
COMMENT ON COLUMN stream.lease.records_per_second IS 'Records read per second in the last batches.';

CREATE TABLE stream.launch (
    launch_id          uuid PRIMARY KEY,
    job                text NOT NULL CHECK (job IN ('traffic_stream', 'log_generator')),
    host               text NOT NULL,
    pid                integer,
    process_started_at timestamptz,
    epoch              bigint,
    log_path           text NOT NULL,
    launched_at        timestamptz NOT NULL DEFAULT now(),
    ended_at           timestamptz,
    end_reason         text
);
CREATE INDEX ON stream.launch (job, launched_at);
COMMENT ON TABLE stream.launch IS 'Every start of a detached job: which process, when, why it ended.';
COMMENT ON COLUMN stream.launch.launch_id IS 'Token of the launch, given to the process.';
COMMENT ON COLUMN stream.launch.job IS 'traffic_stream or log_generator.';
COMMENT ON COLUMN stream.launch.host IS 'Host it was started on.';
COMMENT ON COLUMN stream.launch.pid IS 'Process id; compared together with process_started_at, since ids are reused.';
COMMENT ON COLUMN stream.launch.process_started_at IS 'Start time of the process as the kernel has it.';
COMMENT ON COLUMN stream.launch.epoch IS 'Fencing epoch the launch took (stream job only).';
COMMENT ON COLUMN stream.launch.log_path IS 'Where its output goes.';
COMMENT ON COLUMN stream.launch.launched_at IS 'When it was started.';
COMMENT ON COLUMN stream.launch.ended_at IS 'When its end was noticed.';
COMMENT ON COLUMN stream.launch.end_reason IS 'Why it ended, in words.';

CREATE TABLE stream.page (
    page_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site    text NOT NULL,
    path    text NOT NULL CHECK (length(path) <= 600 AND path ~ '^[!-~]+$'),
    UNIQUE (site, path)
);
COMMENT ON TABLE stream.page IS 'Dictionary of pages, so that a bucket row is small.';
COMMENT ON COLUMN stream.page.page_id IS 'Number of the page.';
COMMENT ON COLUMN stream.page.site IS 'Which site.';
COMMENT ON COLUMN stream.page.path IS 'Canonical path: no query string, printable ASCII, at most 512 bytes and a hash.';

-- No foreign key on page_id: its per-row trigger costs more than the merge itself, and the job
-- always inserts the page in the same transaction.
CREATE TABLE stream.traffic_bucket (
    bucket_start   timestamptz NOT NULL CHECK (extract(epoch FROM bucket_start)::bigint % 10 = 0),
    page_id        integer NOT NULL,
    country        text NOT NULL CHECK (country ~ '^([A-Z]{2}|)$'),
    status_class   smallint NOT NULL CHECK (status_class BETWEEN 1 AND 5),
    hits           bigint NOT NULL CHECK (hits > 0),
    bytes_sent     bigint NOT NULL CHECK (bytes_sent >= 0),
    latency_us_sum bigint NOT NULL CHECK (latency_us_sum >= 0),
    latency_count  bigint NOT NULL CHECK (latency_count BETWEEN 0 AND hits),
    PRIMARY KEY (bucket_start, page_id, country, status_class)
) WITH (fillfactor = 70);
COMMENT ON TABLE stream.traffic_bucket IS 'Hits by 10 seconds, page, country and status class. Sums only: late lines add to it at any time.';
COMMENT ON COLUMN stream.traffic_bucket.bucket_start IS 'Start of the 10 s bucket [start, start + 10 s), UTC, by the time in the log line.';
COMMENT ON COLUMN stream.traffic_bucket.page_id IS 'Page and site (stream.page).';
COMMENT ON COLUMN stream.traffic_bucket.country IS 'ISO 3166 alpha-2 country where the address is registered, empty when unknown.';
COMMENT ON COLUMN stream.traffic_bucket.status_class IS 'First digit of the status: 1 to 5.';
COMMENT ON COLUMN stream.traffic_bucket.hits IS 'Number of lines.';
COMMENT ON COLUMN stream.traffic_bucket.bytes_sent IS 'Bytes sent.';
COMMENT ON COLUMN stream.traffic_bucket.latency_us_sum IS 'Sum of latencies in microseconds, over the lines that have one.';
COMMENT ON COLUMN stream.traffic_bucket.latency_count IS 'Number of lines that have a latency.';

CREATE TABLE stream.touched_hour (
    site           text NOT NULL,
    hour_start     timestamptz NOT NULL CHECK (date_trunc('hour', hour_start, 'UTC') = hour_start),
    last_ledger_id bigint NOT NULL,
    PRIMARY KEY (site, hour_start)
) WITH (fillfactor = 50);
COMMENT ON TABLE stream.touched_hour IS 'Hours that have traffic; an hour is dirty when its last report is older than last_ledger_id.';
COMMENT ON COLUMN stream.touched_hour.site IS 'Which site.';
COMMENT ON COLUMN stream.touched_hour.hour_start IS 'Start of the UTC hour.';
COMMENT ON COLUMN stream.touched_hour.last_ledger_id IS 'Last ledger row whose batch added to this hour.';

CREATE TABLE stream.source_range (
    source        text PRIMARY KEY,
    site          text NOT NULL,
    counted       int8multirange NOT NULL CHECK (NOT isempty(counted)),
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at  timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);
COMMENT ON TABLE stream.source_range IS 'Which lines of each source have been counted or rejected; what is counted here is never counted again.';
COMMENT ON COLUMN stream.source_range.source IS 'Fingerprint of a log file, or a generator run.';
COMMENT ON COLUMN stream.source_range.site IS 'Site of the source''s first line.';
COMMENT ON COLUMN stream.source_range.counted IS 'Line numbers; a gap is lines not here yet.';
COMMENT ON COLUMN stream.source_range.first_seen_at IS 'When its first line was counted.';
COMMENT ON COLUMN stream.source_range.last_seen_at IS 'When its last line was counted.';

CREATE TABLE stream.rejected_count (
    received_hour timestamptz NOT NULL,
    reason        text NOT NULL,
    records       bigint NOT NULL CHECK (records > 0),
    PRIMARY KEY (received_hour, reason)
);
COMMENT ON TABLE stream.rejected_count IS 'Rejected records by hour of arrival and reason; adds up to the ledger''s rejected.';
COMMENT ON COLUMN stream.rejected_count.received_hour IS 'UTC hour in which Kafka received the record.';
COMMENT ON COLUMN stream.rejected_count.reason IS 'Why, naming the field.';
COMMENT ON COLUMN stream.rejected_count.records IS 'How many.';

CREATE TABLE stream.rejected_record (
    topic_id        uuid NOT NULL REFERENCES stream.topic,
    kafka_partition integer NOT NULL,
    kafka_offset    bigint NOT NULL,
    received_at     timestamptz NOT NULL,
    reason          text NOT NULL,
    source          text,
    seq             bigint,
    sample          text NOT NULL CHECK (length(sample) <= 2000),
    PRIMARY KEY (topic_id, kafka_partition, kafka_offset)
);
CREATE INDEX ON stream.rejected_record (received_at, reason);
CREATE INDEX ON stream.rejected_record (source);
COMMENT ON TABLE stream.rejected_record IS 'Samples of rejected records, a bounded number per batch and reason; all of them are in rejected_count.';
COMMENT ON COLUMN stream.rejected_record.topic_id IS 'Topic incarnation.';
COMMENT ON COLUMN stream.rejected_record.kafka_partition IS 'Kafka partition.';
COMMENT ON COLUMN stream.rejected_record.kafka_offset IS 'Kafka offset.';
COMMENT ON COLUMN stream.rejected_record.received_at IS 'When Kafka received it.';
COMMENT ON COLUMN stream.rejected_record.reason IS 'Why, naming the field.';
COMMENT ON COLUMN stream.rejected_record.source IS 'Source, when it could still be read.';
COMMENT ON COLUMN stream.rejected_record.seq IS 'Line number in the source, when it could still be read.';
COMMENT ON COLUMN stream.rejected_record.sample IS 'Start of the record: printable ASCII, addresses masked.';

GRANT SELECT ON ALL TABLES IN SCHEMA stream TO footfall_writer, footfall_reporter;
REVOKE SELECT ON stream.rejected_record FROM footfall_reporter;
GRANT INSERT ON stream.topic, stream.ledger, stream.lost_range, stream.page TO footfall_writer;
GRANT INSERT, UPDATE ON stream.position, stream.traffic_bucket, stream.touched_hour, stream.source_range,
    stream.rejected_count, stream.launch TO footfall_writer;
GRANT INSERT, DELETE ON stream.rejected_record TO footfall_writer;
GRANT UPDATE ON stream.lease TO footfall_writer;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA stream TO footfall_writer;

RESET ROLE;
