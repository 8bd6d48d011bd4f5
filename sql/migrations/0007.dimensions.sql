-- depends: 0006.monitoring-views
-- What people ask of their logs beyond hits: who came (sketches), how long it took (histograms), with what and from
-- where (dimensions), in which visits; and where in Kafka the lines of each hour stand.

SET LOCAL ROLE footfall_owner;

ALTER TABLE stream.traffic_bucket
    ADD COLUMN agent_class text NOT NULL DEFAULT 'unknown'
        CHECK (agent_class IN ('human', 'bot', 'scanner', 'tool', 'unknown'));
ALTER TABLE stream.traffic_bucket ALTER COLUMN agent_class DROP DEFAULT;
ALTER TABLE stream.traffic_bucket DROP CONSTRAINT traffic_bucket_pkey;
ALTER TABLE stream.traffic_bucket ADD PRIMARY KEY (bucket_start, page_id, country, status_class, agent_class);
COMMENT ON TABLE stream.traffic_bucket IS 'Hits by 10 seconds, page, country, status class and agent class. Sums only: late lines add to it at any time.';
COMMENT ON COLUMN stream.traffic_bucket.agent_class IS 'human, bot (declares itself), scanner, tool or unknown, by the rules of the day it was counted.';

CREATE TABLE stream.latency_bin (
    bucket_start timestamptz NOT NULL CHECK (extract(epoch FROM bucket_start)::bigint % 10 = 0),
    page_id      integer NOT NULL,
    bins         smallint[] NOT NULL CHECK (cardinality(bins) >= 1),
    counts       bigint[] NOT NULL CHECK (cardinality(counts) = cardinality(bins)),
    latency_us_max bigint NOT NULL CHECK (latency_us_max >= 0),
    PRIMARY KEY (bucket_start, page_id)
) WITH (fillfactor = 70);
COMMENT ON TABLE stream.latency_bin IS 'Latencies by 10 seconds and page, as a histogram whose bins grow by 2 %: counts only, so late lines add to it at any time.';
COMMENT ON COLUMN stream.latency_bin.bucket_start IS 'Start of the 10 s bucket, UTC, by the time in the log line.';
COMMENT ON COLUMN stream.latency_bin.page_id IS 'Page and site (stream.page).';
COMMENT ON COLUMN stream.latency_bin.bins IS 'Bin numbers, ascending; report.bin_latency_us gives the latency a bin stands for, within 1 %.';
COMMENT ON COLUMN stream.latency_bin.counts IS 'Number of lines in each of those bins.';
COMMENT ON COLUMN stream.latency_bin.latency_us_max IS 'Largest latency in microseconds.';

CREATE TABLE stream.visitor_key (
    key_id       text PRIMARY KEY CHECK (key_id ~ '^[0-9]{4}-[0-9]{2}(-[0-9]{2})?([.][0-9]+)?$'),
    period_start timestamptz NOT NULL,
    period_end   timestamptz NOT NULL CHECK (period_end > period_start),
    made_at      timestamptz NOT NULL DEFAULT now(),
    deleted_at   timestamptz
);
COMMENT ON TABLE stream.visitor_key IS 'The secret keys under which visitors are hashed, one a period of event time; the keys themselves are in files, never here.';
COMMENT ON COLUMN stream.visitor_key.key_id IS 'Name of the key: its period (month, or day), with .2, .3 … when a key was made again after its deletion.';
COMMENT ON COLUMN stream.visitor_key.period_start IS 'Start of the event time it is used for.';
COMMENT ON COLUMN stream.visitor_key.period_end IS 'End of that time, exclusive.';
COMMENT ON COLUMN stream.visitor_key.made_at IS 'When it was made.';
COMMENT ON COLUMN stream.visitor_key.deleted_at IS 'When it was deleted: nobody can tell since then whose hash is whose.';

CREATE TABLE stream.visitor_sketch (
    site         text NOT NULL,
    minute_start timestamptz NOT NULL CHECK (date_trunc('minute', minute_start, 'UTC') = minute_start),
    key_id       text NOT NULL REFERENCES stream.visitor_key,
    agent_class  text NOT NULL CHECK (agent_class IN ('human', 'bot', 'scanner', 'tool', 'unknown')),
    sketch       bytea NOT NULL,
    PRIMARY KEY (site, minute_start, key_id, agent_class)
) WITH (fillfactor = 70);
COMMENT ON TABLE stream.visitor_sketch IS 'Who was there, by site, minute and agent class: Apache DataSketches theta sketches of keyed hashes of address and user agent.';
COMMENT ON COLUMN stream.visitor_sketch.site IS 'Which site.';
COMMENT ON COLUMN stream.visitor_sketch.minute_start IS 'Start of the minute; the sketches of a closed hour are compacted into its first minute.';
COMMENT ON COLUMN stream.visitor_sketch.key_id IS 'Key of the hashes: sketches under different keys are never merged.';
COMMENT ON COLUMN stream.visitor_sketch.agent_class IS 'Class of the user agent as counted.';
COMMENT ON COLUMN stream.visitor_sketch.sketch IS 'Compact ordered theta sketch, uncompressed serialisation; unions and intersections of these are exact up to its nominal size.';

CREATE TABLE stream.dimension_hour (
    site          text NOT NULL,
    hour_start    timestamptz NOT NULL CHECK (date_trunc('hour', hour_start, 'UTC') = hour_start),
    dimension     text NOT NULL,
    value         text NOT NULL CHECK (length(value) <= 200 AND value ~ '^[ -~]*$'),
    hits          bigint NOT NULL CHECK (hits > 0),
    bytes_sent    bigint NOT NULL CHECK (bytes_sent >= 0),
    client_errors bigint NOT NULL CHECK (client_errors BETWEEN 0 AND hits),
    server_errors bigint NOT NULL CHECK (server_errors BETWEEN 0 AND hits),
    PRIMARY KEY (site, hour_start, dimension, value)
) WITH (fillfactor = 70);
COMMENT ON TABLE stream.dimension_hour IS 'Hits by hour and one further dimension at a time; the values of each dimension but the campaign ones add up to all hits.';
COMMENT ON COLUMN stream.dimension_hour.site IS 'Which site.';
COMMENT ON COLUMN stream.dimension_hour.hour_start IS 'Start of the UTC hour, by the time in the log line.';
COMMENT ON COLUMN stream.dimension_hour.dimension IS 'agent_rule, browser, os, device, referrer_class, referrer, method, protocol, host, status; utm_source, utm_medium, utm_campaign, utm_term, utm_content (only lines that have one).';
COMMENT ON COLUMN stream.dimension_hour.value IS 'Printable ASCII; empty when the line does not say; (other) beyond the largest number of values a day.';
COMMENT ON COLUMN stream.dimension_hour.hits IS 'Number of lines.';
COMMENT ON COLUMN stream.dimension_hour.bytes_sent IS 'Bytes sent.';
COMMENT ON COLUMN stream.dimension_hour.client_errors IS 'Answers with status 4xx.';
COMMENT ON COLUMN stream.dimension_hour.server_errors IS 'Answers with status 5xx.';

CREATE TABLE stream.agent_rule (
    rule          text PRIMARY KEY CHECK (length(rule) <= 200 AND rule ~ '^[ -~]+$'),
    agent_class   text NOT NULL CHECK (agent_class IN ('human', 'bot', 'scanner', 'tool', 'unknown')),
    rules_version integer NOT NULL CHECK (rules_version >= 1)
);
COMMENT ON TABLE stream.agent_rule IS 'Every rule that ever decided the class of a line''s agent, and the class it stands for now; reports of the past follow when a new version changes it.';
COMMENT ON COLUMN stream.agent_rule.rule IS 'Name of the rule.';
COMMENT ON COLUMN stream.agent_rule.agent_class IS 'Class it gives.';
COMMENT ON COLUMN stream.agent_rule.rules_version IS 'Version of the rules that last set it.';

CREATE TABLE stream.own_row (
    site      text NOT NULL,
    day_start timestamptz NOT NULL CHECK (date_trunc('day', day_start, 'UTC') = day_start),
    dimension text NOT NULL,
    value     text NOT NULL,
    PRIMARY KEY (site, day_start, dimension, value)
);
COMMENT ON TABLE stream.own_row IS 'Values that have a row of their own on a day, up to a setting; what comes beyond is counted as (other), so that a flood of random paths leaves the tables small and the totals exact.';
COMMENT ON COLUMN stream.own_row.site IS 'Which site.';
COMMENT ON COLUMN stream.own_row.day_start IS 'UTC day, by the time in the log line.';
COMMENT ON COLUMN stream.own_row.dimension IS 'page, or a dimension of stream.dimension_hour.';
COMMENT ON COLUMN stream.own_row.value IS 'The path, or the value.';

-- No foreign key on key_id: its per-row trigger costs more than the merge itself, and the sketches have one.
CREATE TABLE stream.visit (
    site          text NOT NULL,
    key_id        text NOT NULL,
    visitor       bigint NOT NULL,
    started_at    timestamptz NOT NULL,
    ended_at      timestamptz NOT NULL CHECK (ended_at >= started_at),
    hits          bigint NOT NULL CHECK (hits >= 1),
    page_views    bigint NOT NULL CHECK (page_views BETWEEN 0 AND hits),
    client_errors bigint NOT NULL CHECK (client_errors BETWEEN 0 AND hits),
    line_class    text NOT NULL CHECK (line_class IN ('human', 'bot', 'scanner', 'tool', 'unknown')),
    agent_class   text NOT NULL GENERATED ALWAYS AS (
                      CASE WHEN client_errors >= 20 AND client_errors * 5 >= hits THEN 'scanner' ELSE line_class END
                  ) STORED,
    entry_path    text,
    entry_at      timestamptz,
    exit_path     text,
    exit_at       timestamptz,
    PRIMARY KEY (site, key_id, visitor, started_at),
    CHECK (num_nulls(entry_path, entry_at, exit_path, exit_at) IN (0, 4)),
    CHECK ((page_views = 0) = (entry_path IS NULL))
) WITH (fillfactor = 70);
CREATE INDEX ON stream.visit (site, started_at);
COMMENT ON TABLE stream.visit IS 'Visits: hits of one visitor with no gap over 30 minutes, across hours and midnights. Late lines extend, join or add visits.';
COMMENT ON COLUMN stream.visit.site IS 'Which site.';
COMMENT ON COLUMN stream.visit.key_id IS 'Key of the visitor''s hash; a visit that crosses into the next key''s period is two.';
COMMENT ON COLUMN stream.visit.visitor IS 'Keyed hash of address and user agent, 64 bits: no one without the key can tell whose.';
COMMENT ON COLUMN stream.visit.started_at IS 'Time of its first hit; the visit belongs to the hour and day of it.';
COMMENT ON COLUMN stream.visit.ended_at IS 'Time of its last hit.';
COMMENT ON COLUMN stream.visit.hits IS 'Number of lines.';
COMMENT ON COLUMN stream.visit.page_views IS 'Hits on pages, not on their images, styles and scripts, answered below 400.';
COMMENT ON COLUMN stream.visit.client_errors IS 'Answers with status 4xx.';
COMMENT ON COLUMN stream.visit.line_class IS 'scanner when one of its lines is, else the class of the user agent: what merging visits needs.';
COMMENT ON COLUMN stream.visit.agent_class IS 'scanner by behaviour, with at least 20 answers 4xx that are at least 20 % of its hits; else line_class.';
COMMENT ON COLUMN stream.visit.entry_path IS 'Page of the first page view; null without one.';
COMMENT ON COLUMN stream.visit.entry_at IS 'When that was.';
COMMENT ON COLUMN stream.visit.exit_path IS 'Page of the last page view; null without one.';
COMMENT ON COLUMN stream.visit.exit_at IS 'When that was.';

CREATE TABLE stream.hour_offsets (
    hour_start      timestamptz NOT NULL CHECK (date_trunc('hour', hour_start, 'UTC') = hour_start),
    topic_id        uuid NOT NULL REFERENCES stream.topic,
    kafka_partition integer NOT NULL CHECK (kafka_partition >= 0),
    offset_ranges   int8multirange NOT NULL CHECK (NOT isempty(offset_ranges)),
    PRIMARY KEY (hour_start, topic_id, kafka_partition)
) WITH (fillfactor = 50);
COMMENT ON TABLE stream.hour_offsets IS 'Where in Kafka the accepted records of each hour stand: the index from a report back to its lines.';
COMMENT ON COLUMN stream.hour_offsets.hour_start IS 'Start of the UTC hour, by the time in the log line.';
COMMENT ON COLUMN stream.hour_offsets.topic_id IS 'Topic incarnation.';
COMMENT ON COLUMN stream.hour_offsets.kafka_partition IS 'Kafka partition.';
COMMENT ON COLUMN stream.hour_offsets.offset_ranges IS 'Offsets that hold all of the hour''s accepted records, among others.';

GRANT SELECT ON stream.latency_bin, stream.visitor_key, stream.visitor_sketch, stream.dimension_hour, stream.agent_rule,
    stream.own_row, stream.visit, stream.hour_offsets TO footfall_writer, footfall_reporter;
GRANT INSERT ON stream.own_row TO footfall_writer;
GRANT INSERT, UPDATE ON stream.latency_bin, stream.visitor_key, stream.dimension_hour, stream.agent_rule,
    stream.hour_offsets TO footfall_writer;
GRANT INSERT, UPDATE, DELETE ON stream.visitor_sketch, stream.visit TO footfall_writer;

COMMENT ON COLUMN stream.touched_hour.last_ledger_id IS 'Last ledger row whose batch added to this hour; or, when new rules of agents restate it, a number of the same sequence that no row has.';

RESET ROLE;
