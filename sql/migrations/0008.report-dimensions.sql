-- depends: 0007.dimensions
-- Reports of who came, how long it took, and by which further dimensions, as revisions like the others; and the
-- functions that read sketches and histograms. No name here depends on the search path of the one who asks.

SET LOCAL ROLE footfall_owner;

ALTER TABLE report.hour_revision DROP CONSTRAINT hour_revision_cause_check;
ALTER TABLE report.hour_revision ADD CONSTRAINT hour_revision_cause_check
    CHECK (cause IN ('first report', 'late data', 'corrected data', 'agent rules'));
COMMENT ON COLUMN report.hour_revision.cause IS 'first report; late data: lines of this hour came after the report; corrected data: numbers went down or moved between rows; agent rules: the same numbers, but a rule gives another agent class now.';

-- ---- theta sketches: https://datasketches.apache.org/docs/Theta/ThetaSketchFramework.html and, for the bytes, the
-- compact format of serial version 3 (PreambleUtil of datasketches-java): byte 0 = 8-byte words before the hashes,
-- byte 1 = serial version, byte 2 = family (3, compact), byte 5 = flags (4 = empty); little endian throughout. One
-- word: empty, or a single hash. Two: bytes 8-11 number of hashes, theta = 1. Three: theta in bytes 16-23.
CREATE FUNCTION report.theta(sketch bytea) RETURNS bigint
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    head bytea := substring(sketch FOR 24);
BEGIN
    IF length(head) < 8 OR get_byte(head, 1) <> 3 OR get_byte(head, 2) <> 3 THEN
        RAISE EXCEPTION 'not a compact theta sketch of serial version 3: %', encode(substring(head FOR 8), 'hex')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF get_byte(head, 0) < 3 THEN
        RETURN 9223372036854775807;
    END IF;
    RETURN (get_byte(head, 23)::bigint << 56) | (get_byte(head, 22)::bigint << 48) | (get_byte(head, 21)::bigint << 40)
         | (get_byte(head, 20)::bigint << 32) | (get_byte(head, 19)::bigint << 24) | (get_byte(head, 18)::bigint << 16)
         | (get_byte(head, 17)::bigint << 8) | get_byte(head, 16);
END
$$;
COMMENT ON FUNCTION report.theta IS 'Theta of a compact theta sketch: it holds every hash below that; 9223372036854775807 = 1.0, the sketch is exact. Another format is an error.';

CREATE FUNCTION report.theta_hashes(sketch bytea) RETURNS bigint[]
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    bytes bytea := sketch || ''::bytea;  -- fetched once, not once a byte
    place integer := 8 * get_byte(bytes, 0);
BEGIN
    IF get_byte(bytes, 1) <> 3 OR get_byte(bytes, 2) <> 3 OR (length(bytes) - place) % 8 <> 0 THEN
        RAISE EXCEPTION 'not a compact theta sketch of serial version 3: %', encode(substring(bytes FOR 8), 'hex')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN ARRAY(
        SELECT (get_byte(bytes, at + 7)::bigint << 56) | (get_byte(bytes, at + 6)::bigint << 48)
             | (get_byte(bytes, at + 5)::bigint << 40) | (get_byte(bytes, at + 4)::bigint << 32)
             | (get_byte(bytes, at + 3)::bigint << 24) | (get_byte(bytes, at + 2)::bigint << 16)
             | (get_byte(bytes, at + 1)::bigint << 8) | get_byte(bytes, at)
        FROM generate_series(place, length(bytes) - 8, 8) AS at
    );
END
$$;
COMMENT ON FUNCTION report.theta_hashes IS 'Hashes a compact theta sketch holds. A union of sketches under one key = the distinct hashes below the smallest theta, divided by it (theta as a share of 9223372036854775807).';

CREATE FUNCTION report.visitor_estimate(hashes bigint, theta bigint) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN round(hashes / (theta / 9223372036854775807::double precision));
COMMENT ON FUNCTION report.visitor_estimate IS 'Visitors that so many distinct hashes below theta stand for; their number itself while theta is 1.0.';

-- Upper end of the classic interval with continuity correction, as DataSketches has it (BinomialBoundsN, contClassicUB;
-- https://datasketches.apache.org/docs/Theta/ThetaErrorTable.html) at 2 standard deviations, minus the estimate: the
-- lower end is never farther away.
CREATE FUNCTION report.visitor_bound(hashes bigint, theta bigint) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE WHEN theta = 9223372036854775807 THEN 0
                ELSE ceil(0.5 / share + 2 * spread + sqrt(spread) * sqrt(4 * spread + 4 * (hashes + 0.5) / share))
           END
    FROM (SELECT theta / 9223372036854775807::double precision AS share) AS theta_
    CROSS JOIN LATERAL (SELECT (1 - share) / share AS spread) AS spread_
$$;
COMMENT ON FUNCTION report.visitor_bound IS 'Half width of the 95 % interval around report.visitor_estimate, at 2 standard deviations; 0 while it is exact.';

-- ---- histograms: DDSketch's logarithmic mapping (Masson, Rim, Lee 2019) with relative error 0.01.
CREATE FUNCTION report.bin_latency_us(bin integer) RETURNS double precision
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE WHEN bin < 0 THEN 0
                ELSE 2 * power(1.01::double precision / 0.99, bin) / (1.01::double precision / 0.99 + 1) END;
COMMENT ON FUNCTION report.bin_latency_us IS 'Latency in microseconds a bin stands for: within 1 % of every latency in it. Bin -1 is 0 us, bin i holds (g^(i-1), g^i] with g = 1.01 / 0.99.';

-- A loop: an eighth of the time of a query with a window over unnest, and pages ask it four times each.
CREATE FUNCTION report.latency_percentile_ms(
    bins smallint[], counts bigint[], fraction double precision, latency_us_max bigint DEFAULT NULL
) RETURNS double precision
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    total numeric := 0;
    place numeric;
    up_to bigint := 0;
    count bigint;
    i integer := 0;
BEGIN
    FOREACH count IN ARRAY coalesce(counts, '{}') LOOP
        total := total + count;
    END LOOP;
    place := floor(fraction::numeric * (total - 1));
    FOREACH count IN ARRAY coalesce(counts, '{}') LOOP
        i := i + 1;
        up_to := up_to + count;
        IF up_to > place THEN
            RETURN least(report.bin_latency_us(bins[i]), latency_us_max) / 1000;
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION report.latency_percentile_ms IS 'Percentile in milliseconds of a histogram (bins ascending): of n latencies in order the one at place floor(fraction * (n - 1)), counted from 0, within 1 % and never above the largest. Null when nothing was measured.';

-- ---- further columns of the reports there are
ALTER TABLE report.hourly_traffic
    ADD COLUMN visitors bigint CHECK (visitors >= 0), ADD COLUMN visitors_bound bigint CHECK (visitors_bound >= 0),
    ADD COLUMN p50_ms double precision, ADD COLUMN p90_ms double precision, ADD COLUMN p95_ms double precision,
    ADD COLUMN p99_ms double precision, ADD COLUMN max_ms double precision;
ALTER TABLE report.hourly_page
    ADD COLUMN p50_ms double precision, ADD COLUMN p90_ms double precision, ADD COLUMN p95_ms double precision,
    ADD COLUMN p99_ms double precision, ADD COLUMN max_ms double precision;
ALTER TABLE report.daily_traffic
    ADD COLUMN visitors bigint CHECK (visitors >= 0), ADD COLUMN visitors_bound bigint CHECK (visitors_bound >= 0),
    ADD COLUMN p50_ms double precision, ADD COLUMN p90_ms double precision, ADD COLUMN p95_ms double precision,
    ADD COLUMN p99_ms double precision, ADD COLUMN max_ms double precision,
    ADD COLUMN hour_revisions bigint NOT NULL DEFAULT 0;
ALTER TABLE report.daily_traffic ALTER COLUMN hour_revisions DROP DEFAULT;
COMMENT ON TABLE report.daily_traffic IS 'Each site and UTC day from its hour reports, by revision: sums, and unions where a sum would be wrong. Append-only.';
COMMENT ON COLUMN report.daily_traffic.revision IS '1 is the first report of the day; each new revision of one of its hours adds one.';
COMMENT ON COLUMN report.daily_traffic.hour_revisions IS 'Sum of the revision numbers of its hours: grows whenever one of them changes.';

-- ---- new reports of an hour
CREATE TABLE report.hourly_visitor (
    site           text NOT NULL,
    hour_start     timestamptz NOT NULL,
    revision       integer NOT NULL,
    key_id         text NOT NULL REFERENCES stream.visitor_key,
    agent_class    text NOT NULL,
    sketch         bytea NOT NULL,
    visitors       bigint NOT NULL CHECK (visitors >= 0),
    visitors_bound bigint NOT NULL CHECK (visitors_bound >= 0),
    PRIMARY KEY (site, hour_start, revision, key_id, agent_class),
    FOREIGN KEY (site, hour_start, revision) REFERENCES report.hour_revision
);
-- Hashes do not compress.
ALTER TABLE report.hourly_visitor ALTER COLUMN sketch SET STORAGE EXTERNAL;
COMMENT ON TABLE report.hourly_visitor IS 'Visitors of each site, UTC hour, key and agent class, by revision. Unite sketches, never add visitors: the same one is in many hours and may be in two classes. Append-only.';
COMMENT ON COLUMN report.hourly_visitor.sketch IS 'Compact ordered theta sketch (Apache DataSketches) of keyed hashes; exact up to 4,096 visitors.';

CREATE TABLE report.hourly_latency (
    site           text NOT NULL,
    hour_start     timestamptz NOT NULL,
    revision       integer NOT NULL,
    path           text NOT NULL,
    bins           smallint[] NOT NULL CHECK (cardinality(bins) >= 1),
    counts         bigint[] NOT NULL CHECK (cardinality(counts) = cardinality(bins)),
    latency_us_max bigint NOT NULL CHECK (latency_us_max >= 0),
    PRIMARY KEY (site, hour_start, revision, path),
    FOREIGN KEY (site, hour_start, revision) REFERENCES report.hour_revision
);
COMMENT ON TABLE report.hourly_latency IS 'Latencies of each page and UTC hour as a histogram, and of all pages together, by revision. Append-only.';
COMMENT ON COLUMN report.hourly_latency.path IS 'Canonical path; empty: all pages of the hour together.';

CREATE TABLE report.hourly_dimension (
    site          text NOT NULL,
    hour_start    timestamptz NOT NULL,
    revision      integer NOT NULL,
    dimension     text NOT NULL,
    value         text NOT NULL,
    agent_class   text,
    hits          bigint NOT NULL CHECK (hits >= 0),
    bytes_sent    bigint NOT NULL CHECK (bytes_sent >= 0),
    client_errors bigint NOT NULL CHECK (client_errors BETWEEN 0 AND hits),
    server_errors bigint NOT NULL CHECK (server_errors BETWEEN 0 AND hits),
    PRIMARY KEY (site, hour_start, revision, dimension, value),
    FOREIGN KEY (site, hour_start, revision) REFERENCES report.hour_revision,
    CHECK ((agent_class IS NULL) OR dimension = 'agent_rule')
);
COMMENT ON TABLE report.hourly_dimension IS 'Traffic of each UTC hour by one further dimension at a time, by revision: the values of each dimension but the campaign ones (utm_*) add up to the hour''s hits. Append-only.';
COMMENT ON COLUMN report.hourly_dimension.agent_class IS 'Class the agent rule gives (human, bot, scanner, tool, unknown), as of the revision; null in other dimensions.';

CREATE VIEW report.current_hourly_visitor AS
SELECT r.site, r.hour_start, r.revision, r.key_id, r.agent_class, r.visitors, r.visitors_bound, r.sketch
FROM report.hour_checked AS h
JOIN report.hourly_visitor AS r USING (site, hour_start, revision);
COMMENT ON VIEW report.current_hourly_visitor IS 'Visitors of each site, UTC hour, key and agent class: the latest revision. report.visitors unites them.';

CREATE VIEW report.current_hourly_latency AS
SELECT r.site, r.hour_start, r.revision, r.path, r.bins, r.counts, r.latency_us_max
FROM report.hour_checked AS h
JOIN report.hourly_latency AS r USING (site, hour_start, revision);
COMMENT ON VIEW report.current_hourly_latency IS 'Latencies of each page and UTC hour as a histogram (empty path: all pages): the latest revision.';

CREATE VIEW report.current_hourly_dimension AS
SELECT r.site, r.hour_start, r.revision, r.dimension, r.value, r.agent_class, r.hits, r.bytes_sent, r.client_errors,
       r.server_errors
FROM report.hour_checked AS h
JOIN report.hourly_dimension AS r USING (site, hour_start, revision);
COMMENT ON VIEW report.current_hourly_dimension IS 'Traffic of each UTC hour by one further dimension at a time: the latest revision.';

-- One view a dimension, so that a query says what it asks. Grain: site, hour and value.
DO $$
DECLARE
    shown record;
BEGIN
    FOR shown IN
        SELECT *
        FROM (VALUES ('agent_rule', 'agent', 'rule', 'rule that decided the agent''s class'),
                     ('browser', 'browser', 'browser', 'browser family'),
                     ('os', 'os', 'os', 'operating system family'),
                     ('device', 'device', 'device', 'device family'),
                     ('referrer_class', 'referrer_class', 'referrer_class', 'kind of referrer'),
                     ('referrer', 'referrer', 'referrer', 'referring host'),
                     ('method', 'method', 'method', 'method'),
                     ('protocol', 'protocol', 'protocol', 'protocol'),
                     ('host', 'host', 'host', 'host asked for'),
                     ('status', 'status_code', 'status_code', 'status of three digits'))
            AS dimension (dimension, view, shown_as, meaning)
    LOOP
        EXECUTE format(
            'CREATE VIEW report.current_hourly_%I AS SELECT site, hour_start, revision, value AS %I, %s hits, bytes_sent,'
            ' client_errors, server_errors FROM report.current_hourly_dimension WHERE dimension = %L',
            shown.view, shown.shown_as, CASE shown.dimension WHEN 'agent_rule' THEN 'agent_class,' ELSE '' END,
            shown.dimension);
        EXECUTE format('COMMENT ON VIEW report.current_hourly_%I IS %L', shown.view,
                       'Traffic of each UTC hour by ' || shown.meaning || ': the latest revision.');
    END LOOP;
END
$$;

CREATE VIEW report.current_hourly_campaign AS
SELECT site, hour_start, revision, dimension, value, hits, bytes_sent, client_errors, server_errors
FROM report.current_hourly_dimension
WHERE dimension IN ('utm_source', 'utm_medium', 'utm_campaign', 'utm_term', 'utm_content');
COMMENT ON VIEW report.current_hourly_campaign IS 'Traffic of each UTC hour by campaign parameter, over the lines that have one: the latest revision.';

CREATE OR REPLACE VIEW report.current_hourly_traffic AS
SELECT r.site, r.hour_start, r.revision, r.hits, r.bytes_sent, r.client_errors, r.server_errors,
       r.latency_us_sum, r.latency_count, report.mean_latency_ms(r.latency_us_sum, r.latency_count) AS mean_latency_ms,
       r.ledger_id, r.made_at, r.visitors, r.visitors_bound, r.p50_ms, r.p90_ms, r.p95_ms, r.p99_ms, r.max_ms
FROM report.hour_checked AS h
JOIN report.hourly_traffic AS r USING (site, hour_start, revision);

CREATE OR REPLACE VIEW report.current_hourly_page AS
SELECT r.site, r.hour_start, r.revision, r.path, r.hits, r.bytes_sent, r.client_errors, r.server_errors,
       r.latency_us_sum, r.latency_count, report.mean_latency_ms(r.latency_us_sum, r.latency_count) AS mean_latency_ms,
       r.p50_ms, r.p90_ms, r.p95_ms, r.p99_ms, r.max_ms
FROM report.hour_checked AS h
JOIN report.hourly_page AS r USING (site, hour_start, revision);

CREATE OR REPLACE VIEW report.current_daily_traffic AS
SELECT d.site, d.day_start, d.revision, d.hours, d.hits, d.bytes_sent, d.client_errors, d.server_errors,
       d.latency_us_sum, d.latency_count, report.mean_latency_ms(d.latency_us_sum, d.latency_count) AS mean_latency_ms,
       d.ledger_id, d.made_at, d.visitors, d.visitors_bound, d.p50_ms, d.p90_ms, d.p95_ms, d.p99_ms, d.max_ms,
       d.hour_revisions
FROM report.daily_traffic AS d
WHERE NOT EXISTS (
    SELECT FROM report.daily_traffic AS later
    WHERE (later.site, later.day_start) = (d.site, d.day_start) AND later.revision > d.revision
);

-- ---- visits of a day
CREATE TABLE report.visit_revision (
    site         text NOT NULL,
    day_start    timestamptz NOT NULL CHECK (date_trunc('day', day_start, 'UTC') = day_start),
    revision     integer NOT NULL CHECK (revision >= 1),
    cause        text NOT NULL CHECK (cause IN ('first report', 'late data', 'visits went on', 'corrected data')),
    visits_delta bigint NOT NULL,
    ledger_id    bigint NOT NULL,
    made_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (site, day_start, revision),
    CHECK ((revision = 1) = (cause = 'first report'))
);
CREATE INDEX ON report.visit_revision (made_at);
COMMENT ON TABLE report.visit_revision IS 'Every revision of every report of a day''s visits, and why it was made. Append-only.';
COMMENT ON COLUMN report.visit_revision.cause IS 'first report; late data: lines of that day came after the report; visits went on: visits that began that day lasted longer than the report waited; corrected data: anything else.';
COMMENT ON COLUMN report.visit_revision.visits_delta IS 'Visits of this revision minus visits of the one before.';
COMMENT ON COLUMN report.visit_revision.ledger_id IS 'Last row of the ledger this report includes.';

CREATE TABLE report.daily_visit (
    site                 text NOT NULL,
    day_start            timestamptz NOT NULL,
    revision             integer NOT NULL,
    agent_class          text NOT NULL,
    visits               bigint NOT NULL CHECK (visits >= 1),
    bounces              bigint NOT NULL CHECK (bounces BETWEEN 0 AND visits),
    page_views           bigint NOT NULL CHECK (page_views >= 0),
    duration_seconds_sum numeric NOT NULL CHECK (duration_seconds_sum >= 0),
    hits                 bigint NOT NULL CHECK (hits >= visits),
    PRIMARY KEY (site, day_start, revision, agent_class),
    FOREIGN KEY (site, day_start, revision) REFERENCES report.visit_revision
);
COMMENT ON TABLE report.daily_visit IS 'Visits that began on each UTC day, by agent class and revision; a visit is never cut at midnight. Append-only.';

CREATE TABLE report.daily_entry_page (
    site        text NOT NULL,
    day_start   timestamptz NOT NULL,
    revision    integer NOT NULL,
    agent_class text NOT NULL,
    path        text NOT NULL,
    visits      bigint NOT NULL CHECK (visits >= 1),
    PRIMARY KEY (site, day_start, revision, agent_class, path),
    FOREIGN KEY (site, day_start, revision) REFERENCES report.visit_revision
);
COMMENT ON TABLE report.daily_entry_page IS 'Pages on which the visits of each UTC day began, by agent class and revision of report.daily_visit. Append-only.';

CREATE TABLE report.daily_exit_page (LIKE report.daily_entry_page INCLUDING ALL);
ALTER TABLE report.daily_exit_page ADD FOREIGN KEY (site, day_start, revision) REFERENCES report.visit_revision;
COMMENT ON TABLE report.daily_exit_page IS 'Pages on which the visits of each UTC day ended, by agent class and revision of report.daily_visit. Append-only.';

CREATE VIEW report.current_daily_visit AS
SELECT d.site, d.day_start, d.revision, d.agent_class, d.visits, d.bounces, d.page_views, d.duration_seconds_sum, d.hits,
       d.bounces::double precision / d.visits AS bounce_share,
       d.page_views::double precision / d.visits AS page_views_per_visit,
       (d.duration_seconds_sum / d.visits)::double precision AS mean_duration_seconds,
       v.ledger_id, v.made_at
FROM report.visit_revision AS v
JOIN report.daily_visit AS d USING (site, day_start, revision)
WHERE v.revision = (SELECT max(last.revision) FROM report.visit_revision AS last
                    WHERE (last.site, last.day_start) = (v.site, v.day_start));
COMMENT ON VIEW report.current_daily_visit IS 'Visits that began on each UTC day, by agent class: the latest revision.';

CREATE VIEW report.current_daily_entry_page AS
SELECT d.site, d.day_start, d.revision, d.agent_class, d.path, d.visits
FROM report.daily_entry_page AS d
WHERE d.revision = (SELECT max(last.revision) FROM report.visit_revision AS last
                    WHERE (last.site, last.day_start) = (d.site, d.day_start));
COMMENT ON VIEW report.current_daily_entry_page IS 'Pages on which the visits of each UTC day began: the latest revision.';

CREATE VIEW report.current_daily_exit_page AS
SELECT d.site, d.day_start, d.revision, d.agent_class, d.path, d.visits
FROM report.daily_exit_page AS d
WHERE d.revision = (SELECT max(last.revision) FROM report.visit_revision AS last
                    WHERE (last.site, last.day_start) = (d.site, d.day_start));
COMMENT ON VIEW report.current_daily_exit_page IS 'Pages on which the visits of each UTC day ended: the latest revision.';

-- What a column of this name means in every table and view of this file.
CREATE PROCEDURE report.comment_columns()
    LANGUAGE plpgsql
AS $$
DECLARE
    uncommented record;
BEGIN
    FOR uncommented IN
        SELECT c.oid::regclass AS relation, a.attname, known.meaning
        FROM pg_catalog.pg_class AS c
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        JOIN (VALUES
            ('site', 'Which site.'),
            ('hour_start', 'Start of the UTC hour.'),
            ('day_start', 'Start of the UTC day [start, start + 24 h).'),
            ('week_start', 'Start of the ISO week: Monday 00:00 UTC.'),
            ('month_start', 'Start of the calendar month, UTC.'),
            ('revision', 'Revision of the report.'),
            ('hours', 'Number of hours with a report, that is with traffic.'),
            ('path', 'Canonical path, without query string.'),
            ('country', 'ISO 3166 alpha-2 country where the address is registered, empty when unknown.'),
            ('status_class', 'First digit of the status: 1 to 5.'),
            ('dimension', 'Which dimension: agent_rule, browser, os, device, referrer_class, referrer, method, protocol, host, status, utm_*.'),
            ('value', 'Value of the dimension; empty when the line does not say; (other) beyond the largest number of values a day.'),
            ('rule', 'Name of the rule that decided.'),
            ('browser', 'Browser family.'),
            ('os', 'Operating system family.'),
            ('device', 'Device family.'),
            ('referrer_class', 'search, social, internal, other or none.'),
            ('referrer', 'Host of the referrer; empty without one.'),
            ('method', 'Method of the request.'),
            ('protocol', 'Protocol of the request; empty when the line does not say.'),
            ('host', 'Host that was asked for; empty when the line does not say.'),
            ('status_code', 'Status, three digits.'),
            ('agent_class', 'human, bot (declares itself), scanner, tool or unknown.'),
            ('key_id', 'Key of the hashes: sketches under different keys are never merged.'),
            ('sketch', 'Compact ordered theta sketch of keyed hashes (Apache DataSketches).'),
            ('visitors', 'Distinct address and user agent, without lines answered 4xx; null when unknown, or when two keys meet: they are never added.'),
            ('visitors_bound', 'Half width of the 95 % interval around visitors; 0 = exact.'),
            ('visitor_keys', 'Number of visitor keys that meet in this period; with two or more, report.visitors gives one figure each.'),
            ('hits', 'Number of lines.'),
            ('bytes_sent', 'Bytes sent.'),
            ('client_errors', 'Answers with status 4xx.'),
            ('server_errors', 'Answers with status 5xx.'),
            ('client_error_share', 'Share of hits answered 4xx, 0 to 1.'),
            ('server_error_share', 'Share of hits answered 5xx, 0 to 1.'),
            ('latency_us_sum', 'Sum of latencies in microseconds, over the lines that have one.'),
            ('latency_count', 'Number of lines that have a latency.'),
            ('latency_us_max', 'Largest latency in microseconds.'),
            ('mean_latency_ms', 'Mean latency in milliseconds over the lines that have one; null when none has.'),
            ('bins', 'Bin numbers, ascending; report.bin_latency_us gives the latency a bin stands for, within 1 %.'),
            ('counts', 'Number of lines in each of those bins.'),
            ('p50_ms', 'Median latency in milliseconds, within 1 %; null when none was measured.'),
            ('p90_ms', '90th percentile of latency in milliseconds, within 1 %.'),
            ('p95_ms', '95th percentile of latency in milliseconds, within 1 %.'),
            ('p99_ms', '99th percentile of latency in milliseconds, within 1 %.'),
            ('max_ms', 'Largest latency in milliseconds, exact.'),
            ('visits', 'Number of visits: hits of one visitor with no gap over 30 minutes, at least one of them not answered 4xx.'),
            ('bounces', 'Visits of at most one page view.'),
            ('page_views', 'Hits on pages, not on their images, styles and scripts, answered below 400.'),
            ('duration_seconds_sum', 'Sum over the visits of the time from first to last hit, in seconds.'),
            ('bounce_share', 'Bounces by visits, 0 to 1.'),
            ('page_views_per_visit', 'Page views by visits.'),
            ('mean_duration_seconds', 'Mean time from first to last hit of a visit, in seconds.'),
            ('hour_revisions', 'Sum of the revision numbers of its hours.'),
            ('ledger_id', 'Last row of the ledger this report includes.'),
            ('made_at', 'When it was published.'),
            ('previous_hits', 'Hits of the period before.'),
            ('previous_bytes_sent', 'Bytes sent in the period before.'),
            ('previous_client_errors', 'Answers with status 4xx in the period before.'),
            ('previous_server_errors', 'Answers with status 5xx in the period before.'),
            ('previous_p95_ms', '95th percentile of latency in the period before, in milliseconds.'),
            ('previous_visitors', 'Visitors of the period before; null when unknown, or when two keys meet.'),
            ('previous_visitors_bound', 'Half width of the 95 % interval around previous_visitors; 0 = exact.'),
            ('window_start', 'Start of the 5 minutes.'),
            ('window_end', 'End of the 5 minutes, exclusive: the end of the site''s newest bucket.')
        ) AS known (name, meaning) ON known.name = a.attname
        WHERE c.relnamespace = 'report'::regnamespace AND c.relkind IN ('r', 'v')
          AND pg_catalog.col_description(c.oid, a.attnum) IS NULL
    LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', uncommented.relation, uncommented.attname, uncommented.meaning);
    END LOOP;
END
$$;
COMMENT ON PROCEDURE report.comment_columns IS 'Migrations only: comments the columns that have none yet by what their name means everywhere.';
REVOKE EXECUTE ON PROCEDURE report.comment_columns FROM PUBLIC;
CALL report.comment_columns();

GRANT SELECT ON ALL TABLES IN SCHEMA report TO footfall_reporter, footfall_reader;
GRANT INSERT ON report.hourly_visitor, report.hourly_latency, report.hourly_dimension, report.visit_revision,
    report.daily_visit, report.daily_entry_page, report.daily_exit_page TO footfall_reporter;

RESET ROLE;
