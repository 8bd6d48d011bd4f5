-- depends: 0013.series
-- Figures of long ranges in milliseconds: a published day keeps the union of its hours' visitors and the sum of their
-- histograms, and stands in for its hours wherever all of them are asked for as they were when it was made. Figures
-- of very many visitors are taken from a sample of their hashes (docs/decisions/0038).

SET LOCAL ROLE footfall_owner;

-- ---- what a published day keeps
CREATE TABLE report.daily_visitor (
    site           text NOT NULL,
    day_start      timestamptz NOT NULL,
    revision       integer NOT NULL,
    key_id         text NOT NULL REFERENCES stream.visitor_key,
    agent_class    text NOT NULL,
    theta          bigint NOT NULL CHECK (theta > 0),
    hashes         bigint[] NOT NULL,
    visitors       bigint NOT NULL GENERATED ALWAYS AS (report.visitor_estimate(cardinality(hashes), theta)) STORED,
    visitors_bound bigint NOT NULL GENERATED ALWAYS AS (report.visitor_bound(cardinality(hashes), theta)) STORED,
    PRIMARY KEY (site, day_start, revision, key_id, agent_class),
    FOREIGN KEY (site, day_start, revision) REFERENCES report.daily_traffic
);
-- Hashes do not compress.
ALTER TABLE report.daily_visitor ALTER COLUMN hashes SET STORAGE EXTERNAL;
COMMENT ON TABLE report.daily_visitor IS 'Visitors of each site, UTC day, key and agent class, by revision of the day: the union of its hours, ready to be united further. Days published before there was this table have no row. Append-only.';
COMMENT ON COLUMN report.daily_visitor.theta IS 'Every hash of the day below this is in hashes; 9223372036854775807 = 1.0, the union is exact.';
COMMENT ON COLUMN report.daily_visitor.hashes IS 'Distinct hashes below theta, as report.theta_hashes gives them, ascending.';

ALTER TABLE report.hourly_visitor ADD COLUMN hashes bigint[];
ALTER TABLE report.hourly_visitor ALTER COLUMN hashes SET STORAGE EXTERNAL;
COMMENT ON COLUMN report.hourly_visitor.hashes IS 'The hashes of the sketch, as report.theta_hashes gives them, ascending: read ten times as fast. Null in reports made before there was this column.';

ALTER TABLE report.daily_traffic
    ADD COLUMN bins smallint[], ADD COLUMN counts bigint[], ADD COLUMN latency_us_max bigint CHECK (latency_us_max >= 0),
    ADD CHECK (num_nulls(bins, counts, latency_us_max) IN (0, 3)),
    ADD CHECK (cardinality(bins) = cardinality(counts));
COMMENT ON COLUMN report.daily_traffic.bins IS 'Histogram of the day''s latencies, all pages together: bin numbers, ascending. Null when none was measured, and before there was this column.';

-- Revision numbers only grow, and a further hour adds one: of one whole day, equal sums are the same revisions.
CREATE FUNCTION report.known_day(
    site text, start_at timestamptz, end_at timestamptz, known_at timestamptz DEFAULT 'infinity'
) RETURNS TABLE (day_start timestamptz, revision integer)
    LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT d.day_start, d.revision
    FROM (
        SELECT date_trunc('day', h.hour_start, 'UTC') AS day_start, sum(h.revision)::bigint AS hour_revisions
        FROM report.known_hour(known_day.site, known_day.start_at, known_day.end_at, known_day.known_at) AS h
        GROUP BY date_trunc('day', h.hour_start, 'UTC')
    ) AS known
    JOIN report.daily_traffic AS d
        ON d.site = known_day.site AND d.day_start = known.day_start AND d.hour_revisions = known.hour_revisions
    WHERE d.day_start >= known_day.start_at AND d.day_start + interval '24 hours' <= known_day.end_at
$$;
COMMENT ON FUNCTION report.known_day IS 'UTC days that lie wholly in a range and have a report made of exactly the hour revisions that were the latest at a moment: it stands in for its hours.';

-- ---- hashes
-- The first so many hashes of an ordered sketch, and more until they reach the limit: without the rest being fetched.
CREATE FUNCTION report.theta_hashes(sketch bytea, below bigint) RETURNS bigint[]
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    head bytea := substring(sketch FOR 24);
    words integer := get_byte(head, 0);
    is_ordered boolean := get_byte(head, 5) & 16 > 0;
    held bigint := (length(sketch) - 8 * words) / 8;
    share double precision := below / report.theta(head)::double precision;
    wanted bigint := ceil(held * share + 4 * sqrt(held * share) + 8);
    hashes bigint[];
BEGIN
    IF share >= 1 OR NOT is_ordered THEN
        wanted := held;
    END IF;
    LOOP
        -- The same sketch, shorter: its preamble and its first hashes.
        hashes := report.theta_hashes(substring(sketch FOR (8 * (words + least(wanted, held)))::integer));
        IF wanted >= held OR hashes[wanted] >= below THEN
            RETURN ARRAY(SELECT hash FROM unnest(hashes) AS hash WHERE hash < below);
        END IF;
        wanted := 2 * wanted;
    END LOOP;
END
$$;
COMMENT ON FUNCTION report.theta_hashes(bytea, bigint) IS 'Hashes below a limit that a compact theta sketch holds; of an ordered sketch no more is read than that takes.';

CREATE FUNCTION report.hashes_below(hashes bigint[], sketch bytea, below bigint) RETURNS bigint[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN sketch IS NULL THEN hashes[:width_bucket(below - 1, hashes)]
                ELSE report.theta_hashes(sketch, below) END;
COMMENT ON FUNCTION report.hashes_below IS 'Hashes below a limit, from an ascending array of them, or from a sketch where there is one.';

-- ---- visitors
CREATE FUNCTION report.visitor_set(
    site text, start_at timestamptz, end_at timestamptz, known_at timestamptz DEFAULT 'infinity'
) RETURNS TABLE (
    part_start timestamptz, key_id text, agent_class text, theta bigint, visitors bigint, hashes bigint[], sketch bytea
)
    LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    WITH day AS MATERIALIZED (
        SELECT k.day_start, k.revision
        FROM report.known_day(visitor_set.site, visitor_set.start_at, visitor_set.end_at, visitor_set.known_at) AS k
        WHERE EXISTS (
            SELECT FROM report.daily_visitor AS v
            WHERE (v.site, v.day_start, v.revision) = (visitor_set.site, k.day_start, k.revision)
        )
    )
    SELECT d.day_start, v.key_id, v.agent_class, v.theta, v.visitors, v.hashes, NULL::bytea
    FROM day AS d
    JOIN report.daily_visitor AS v
        ON v.site = visitor_set.site AND v.day_start = d.day_start AND v.revision = d.revision
    UNION ALL
    SELECT h.hour_start, v.key_id, v.agent_class,
           CASE v.visitors_bound WHEN 0 THEN 9223372036854775807 ELSE report.theta(v.sketch) END, v.visitors,
           v.hashes, CASE WHEN v.hashes IS NULL THEN v.sketch END
    FROM report.known_hour(visitor_set.site, visitor_set.start_at, visitor_set.end_at, visitor_set.known_at) AS h
    JOIN report.hourly_visitor AS v
        ON v.site = visitor_set.site AND v.hour_start = h.hour_start AND v.revision = h.revision
    WHERE NOT EXISTS (SELECT FROM day AS d WHERE d.day_start = date_trunc('day', h.hour_start, 'UTC'))
$$;
COMMENT ON FUNCTION report.visitor_set IS 'What the visitors of a range are united from: days where their report stands in for its hours, hours elsewhere. Each row has hashes or a sketch.';

-- Any smaller theta is as right, only less exact. Up to 2^17 hashes are counted whole. More are cut at a theta below
-- which there are about 2^16 different ones, and at most 2^18 to go through; how often each comes again is seen from
-- some 2^13 of them.
CREATE OR REPLACE FUNCTION report.visitors(
    site text, start_at timestamptz, end_at timestamptz, known_at timestamptz DEFAULT 'infinity',
    agent_class text DEFAULT NULL
) RETURNS TABLE (key_id text, visitors bigint, visitors_bound bigint, exact boolean)
    LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    WITH held AS MATERIALIZED (
        SELECT s.key_id, s.theta, s.visitors, s.hashes, s.sketch
        FROM report.visitor_set(visitors.site, visitors.start_at, visitors.end_at, visitors.known_at) AS s
        WHERE visitors.agent_class IS NULL OR s.agent_class = visitors.agent_class
    ), key AS (
        SELECT h.key_id, min(h.theta) AS theta, sum(h.visitors) AS visitors
        FROM held AS h
        GROUP BY h.key_id
    ), cut AS MATERIALIZED (
        SELECT k.key_id,
               CASE WHEN k.visitors * k.theta <= 131072 * 9223372036854775807::numeric THEN k.theta
                    ELSE (
                        SELECT least(k.theta, 9223372036854775807 / k.visitors
                                              * least(65536 * count(*)::numeric / count(DISTINCT one.hash), 262144))::bigint
                        FROM held AS h
                        CROSS JOIN LATERAL unnest(report.hashes_below(
                            h.hashes, h.sketch, least(k.theta, 9223372036854775807 / k.visitors * 8192)::bigint
                        )) AS one (hash)
                        WHERE h.key_id = k.key_id
                    )
               END AS theta
        FROM key AS k
    ), united AS MATERIALIZED (  -- else the planner counts once for each mention of it
        SELECT c.key_id, c.theta, (
                   SELECT count(*)
                   FROM (
                       -- By hashing: count(DISTINCT) sorts, which takes four times as long.
                       SELECT DISTINCT one.hash
                       FROM held AS h
                       CROSS JOIN LATERAL unnest(report.hashes_below(h.hashes, h.sketch, c.theta)) AS one (hash)
                       WHERE h.key_id = c.key_id
                   ) AS d
               ) AS hashes
        FROM cut AS c
    )
    SELECT u.key_id, report.visitor_estimate(u.hashes, u.theta), report.visitor_bound(u.hashes, u.theta),
           u.theta = 9223372036854775807
    FROM united AS u
    ORDER BY u.key_id
$$;
COMMENT ON FUNCTION report.visitors IS 'Distinct visitors of a range, one row for each key: the union of its days and hours. Figures of different keys must not be added. agent_class: only visitors seen in that class.';

-- Before and within are cut at the same theta, so that what is in both can be told: at most 2^18 hashes of them.
CREATE OR REPLACE FUNCTION report.new_and_returning(
    site text, start_at timestamptz, end_at timestamptz, known_at timestamptz DEFAULT 'infinity'
) RETURNS TABLE (key_id text, new_visitors bigint, new_visitors_bound bigint, returning_visitors bigint,
                 returning_visitors_bound bigint, exact boolean)
    LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    WITH within AS MATERIALIZED (
        SELECT s.key_id, s.theta, s.visitors, s.hashes, s.sketch
        FROM report.visitor_set(new_and_returning.site, new_and_returning.start_at, new_and_returning.end_at,
                                new_and_returning.known_at) AS s
    ), held AS MATERIALIZED (
        SELECT true AS is_within, w.* FROM within AS w
        UNION ALL
        -- What was seen before can only be told under the same key, that is within the key's period.
        SELECT false, s.key_id, s.theta, s.visitors, s.hashes, s.sketch
        FROM report.visitor_set(new_and_returning.site, '-infinity', new_and_returning.start_at,
                                new_and_returning.known_at) AS s
        WHERE s.key_id IN (SELECT w.key_id FROM within AS w)
    ), cut AS (
        SELECT h.key_id,
               least(min(h.theta), 9223372036854775807 / greatest(sum(h.visitors), 1) * 262144)::bigint AS theta
        FROM held AS h
        GROUP BY h.key_id
    ), counted AS (
        SELECT c.key_id, c.theta, seen.new_hashes, seen.returning_hashes
        FROM cut AS c
        CROSS JOIN LATERAL (
            SELECT count(*) FILTER (WHERE v.is_new) AS new_hashes, count(*) FILTER (WHERE NOT v.is_new) AS returning_hashes
            FROM (
                SELECT one.hash, bool_and(h.is_within) AS is_new
                FROM held AS h
                CROSS JOIN LATERAL unnest(report.hashes_below(h.hashes, h.sketch, c.theta)) AS one (hash)
                WHERE h.key_id = c.key_id
                GROUP BY one.hash
                HAVING bool_or(h.is_within)
            ) AS v
        ) AS seen
    )
    SELECT key_id, report.visitor_estimate(new_hashes, theta), report.visitor_bound(new_hashes, theta),
           report.visitor_estimate(returning_hashes, theta), report.visitor_bound(returning_hashes, theta),
           theta = 9223372036854775807
    FROM counted
    ORDER BY key_id
$$;

-- ---- latencies
CREATE OR REPLACE FUNCTION report.range_latency(
    site text, start_at timestamptz, end_at timestamptz, known_at timestamptz DEFAULT 'infinity', path text DEFAULT ''
) RETURNS TABLE (bins smallint[], counts bigint[], latency_us_max bigint)
    LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    WITH day AS MATERIALIZED (
        SELECT d.day_start, d.bins, d.counts, d.latency_us_max
        FROM report.known_day(range_latency.site, range_latency.start_at, range_latency.end_at, range_latency.known_at)
            AS k
        JOIN report.daily_traffic AS d
            ON d.site = range_latency.site AND d.day_start = k.day_start AND d.revision = k.revision
        WHERE range_latency.path = '' AND d.bins IS NOT NULL
    ), held AS (
        SELECT d.bins, d.counts, d.latency_us_max FROM day AS d
        UNION ALL
        SELECT l.bins, l.counts, l.latency_us_max
        FROM report.known_hour(range_latency.site, range_latency.start_at, range_latency.end_at, range_latency.known_at)
            AS h
        JOIN report.hourly_latency AS l
            ON l.site = range_latency.site AND l.hour_start = h.hour_start AND l.revision = h.revision
               AND l.path = range_latency.path
        WHERE NOT EXISTS (SELECT FROM day AS d WHERE d.day_start = date_trunc('day', h.hour_start, 'UTC'))
    ), bin AS (
        SELECT part.bin, sum(part.count)::bigint AS count, max(h.latency_us_max) AS latency_us_max
        FROM held AS h
        CROSS JOIN LATERAL unnest(h.bins, h.counts) AS part (bin, count)
        GROUP BY part.bin
    )
    SELECT array_agg(bin ORDER BY bin), array_agg(count ORDER BY bin), max(latency_us_max) FROM bin
$$;
COMMENT ON FUNCTION report.range_latency IS 'Histogram of a range, of one page or (empty path) of all: the sum of the histograms of its days and hours, for report.latency_percentile_ms.';

-- ---- cells that match filters, which are applied while they are read; pages are summed up by their number
CREATE FUNCTION report.filtered_cell(
    site text, start_at timestamptz, end_at timestamptz, of_country text DEFAULT NULL,
    of_status_class smallint DEFAULT NULL, of_agent_class text DEFAULT NULL
) RETURNS TABLE (path text, country text, status_class smallint, agent_class text, hits bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
AS $$
    SELECT p.path, b.country, b.status_class, b.agent_class, b.hits
    FROM (
        SELECT c.page_id, c.country, c.status_class, c.agent_class, sum(c.hits)::bigint AS hits
        FROM stream.traffic_bucket AS c
        WHERE c.bucket_start >= filtered_cell.start_at AND c.bucket_start < filtered_cell.end_at
          AND (filtered_cell.of_country IS NULL OR c.country = filtered_cell.of_country)
          AND (filtered_cell.of_status_class IS NULL OR c.status_class = filtered_cell.of_status_class)
          AND (filtered_cell.of_agent_class IS NULL OR c.agent_class = filtered_cell.of_agent_class)
        GROUP BY c.page_id, c.country, c.status_class, c.agent_class
    ) AS b
    JOIN stream.page AS p USING (page_id)
    WHERE p.site = filtered_cell.site
$$;
COMMENT ON FUNCTION report.filtered_cell IS 'report.range_cell, hits only, of one country, status class or agent class (null: of all): faster than to filter its rows.';

CALL report.comment_columns();

GRANT SELECT ON report.daily_visitor TO footfall_reporter, footfall_reader;
GRANT INSERT ON report.daily_visitor TO footfall_reporter;

RESET ROLE;
