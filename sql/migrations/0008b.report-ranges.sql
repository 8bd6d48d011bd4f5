-- depends: 0008.report-dimensions
-- Reports of any range of whole hours, of days, weeks and months, each as known at any moment: all of them are sums and
-- unions over the hour revisions that were the latest at that moment. Days are 24 hours and weeks 168, in UTC.
-- Parameters are the same everywhere: site; start_at, end_at = half-open range, of which every hour that starts in
-- it belongs; known_at = the moment (default: now). A figure of the period before is of the same length.

SET LOCAL ROLE footfall_owner;

CREATE FUNCTION report.known_hour(
    site text, start_at timestamptz, end_at timestamptz, known_at timestamptz DEFAULT 'infinity'
) RETURNS TABLE (hour_start timestamptz, revision integer)
    LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT DISTINCT ON (v.hour_start) v.hour_start, v.revision
    FROM report.hour_revision AS v
    WHERE v.site = known_hour.site AND v.hour_start >= known_hour.start_at AND v.hour_start < known_hour.end_at
      AND v.made_at <= known_hour.known_at
    ORDER BY v.hour_start, v.revision DESC
$$;
COMMENT ON FUNCTION report.known_hour IS 'Hours of a range and the revision of each that was the latest at a moment.';

CREATE FUNCTION report.as_known_at(moment timestamptz) RETURNS TABLE (
    site text, hour_start timestamptz, revision integer, hits bigint, bytes_sent bigint, client_errors bigint,
    server_errors bigint, latency_us_sum bigint, latency_count bigint, mean_latency_ms numeric, visitors bigint,
    visitors_bound bigint, p50_ms double precision, p90_ms double precision, p95_ms double precision,
    p99_ms double precision, max_ms double precision, ledger_id bigint, made_at timestamptz
)
    LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT r.site, r.hour_start, r.revision, r.hits, r.bytes_sent, r.client_errors, r.server_errors, r.latency_us_sum,
           r.latency_count, report.mean_latency_ms(r.latency_us_sum, r.latency_count), r.visitors, r.visitors_bound,
           r.p50_ms, r.p90_ms, r.p95_ms, r.p99_ms, r.max_ms, r.ledger_id, r.made_at
    FROM (
        SELECT DISTINCT ON (v.site, v.hour_start) v.site, v.hour_start, v.revision
        FROM report.hour_revision AS v
        WHERE v.made_at <= moment
        ORDER BY v.site, v.hour_start, v.revision DESC
    ) AS known
    JOIN report.hourly_traffic AS r USING (site, hour_start, revision)
$$;
COMMENT ON FUNCTION report.as_known_at IS 'The hour reports (site and hour) as they were known at a moment: of each hour the latest revision published by then.';

-- ---- visitors
CREATE FUNCTION report.visitors(
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
        SELECT s.key_id, s.theta, count(DISTINCT held.hash) AS hashes
        FROM sketch AS s
        LEFT JOIN LATERAL unnest(report.theta_hashes(s.sketch)) AS held (hash) ON held.hash < s.theta
        GROUP BY s.key_id, s.theta
    )
    SELECT u.key_id, report.visitor_estimate(u.hashes, u.theta), report.visitor_bound(u.hashes, u.theta),
           u.theta = 9223372036854775807
    FROM united AS u
    ORDER BY u.key_id
$$;
COMMENT ON FUNCTION report.visitors IS 'Distinct visitors of a range, one row a key: unions of the hours'' sketches. Figures of different keys must not be added. agent_class: only visitors seen in that class.';

CREATE FUNCTION report.new_and_returning(
    site text, start_at timestamptz, end_at timestamptz, known_at timestamptz DEFAULT 'infinity'
) RETURNS TABLE (key_id text, new_visitors bigint, new_visitors_bound bigint, returning_visitors bigint,
                 returning_visitors_bound bigint, exact boolean)
    LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    WITH sketch AS MATERIALIZED (
        -- What was seen before can only be told under the same key, that is within the key's period.
        SELECT v.key_id, v.sketch, h.hour_start >= new_and_returning.start_at AS within,
               min(report.theta(v.sketch)) OVER (PARTITION BY v.key_id) AS theta,
               bool_or(h.hour_start >= new_and_returning.start_at) OVER (PARTITION BY v.key_id) AS asked
        FROM report.known_hour(new_and_returning.site, '-infinity', new_and_returning.end_at, new_and_returning.known_at)
            AS h
        JOIN report.hourly_visitor AS v
            ON v.site = new_and_returning.site AND v.hour_start = h.hour_start AND v.revision = h.revision
        WHERE v.key_id IN (
            SELECT r.key_id
            FROM report.hourly_visitor AS r
            WHERE r.site = new_and_returning.site AND r.hour_start >= new_and_returning.start_at
              AND r.hour_start < new_and_returning.end_at
        )
    ), visitor AS (
        SELECT s.key_id, s.theta, held.hash, bool_and(s.within) AS is_new
        FROM sketch AS s
        LEFT JOIN LATERAL unnest(report.theta_hashes(s.sketch)) AS held (hash) ON held.hash < s.theta
        WHERE s.asked
        GROUP BY s.key_id, s.theta, held.hash
        HAVING bool_or(s.within)
    ), counted AS (
        SELECT key_id, theta, count(hash) FILTER (WHERE is_new) AS new_hashes,
               count(hash) FILTER (WHERE NOT is_new) AS returning_hashes
        FROM visitor
        GROUP BY key_id, theta
    )
    SELECT key_id, report.visitor_estimate(new_hashes, theta), report.visitor_bound(new_hashes, theta),
           report.visitor_estimate(returning_hashes, theta), report.visitor_bound(returning_hashes, theta),
           theta = 9223372036854775807
    FROM counted
    ORDER BY key_id
$$;
COMMENT ON FUNCTION report.new_and_returning IS 'Visitors of a range who were not, and who were, in an earlier hour under the same key; one row a key. Nobody can tell under a new key who has been here before.';

-- ---- latencies
CREATE FUNCTION report.range_latency(
    site text, start_at timestamptz, end_at timestamptz, known_at timestamptz DEFAULT 'infinity', path text DEFAULT ''
) RETURNS TABLE (bins smallint[], counts bigint[], latency_us_max bigint)
    LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    WITH bin AS (
        SELECT part.bin, sum(part.count)::bigint AS count, max(l.latency_us_max) AS latency_us_max
        FROM report.known_hour(range_latency.site, range_latency.start_at, range_latency.end_at, range_latency.known_at)
            AS h
        JOIN report.hourly_latency AS l
            ON l.site = range_latency.site AND l.hour_start = h.hour_start AND l.revision = h.revision
        CROSS JOIN LATERAL unnest(l.bins, l.counts) AS part (bin, count)
        WHERE l.path = range_latency.path
        GROUP BY part.bin
    )
    SELECT array_agg(bin ORDER BY bin), array_agg(count ORDER BY bin), max(latency_us_max) FROM bin
$$;
COMMENT ON FUNCTION report.range_latency IS 'Histogram of a range, of one page or (empty path) of all: the sum of the hours'' histograms, for report.latency_percentile_ms.';

-- ---- one row for a range
CREATE FUNCTION report.traffic_measure(
    site text, start_at timestamptz, end_at timestamptz, known_at timestamptz DEFAULT 'infinity'
) RETURNS TABLE (
    hours bigint, hits bigint, bytes_sent bigint, client_errors bigint, server_errors bigint, latency_us_sum bigint,
    latency_count bigint, p50_ms double precision, p90_ms double precision, p95_ms double precision,
    p99_ms double precision, max_ms double precision, visitors bigint, visitors_bound bigint, visitor_keys bigint
)
    LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    WITH total AS (
        SELECT count(*) AS hours, coalesce(sum(r.hits), 0)::bigint AS hits,
               coalesce(sum(r.bytes_sent), 0)::bigint AS bytes_sent,
               coalesce(sum(r.client_errors), 0)::bigint AS client_errors,
               coalesce(sum(r.server_errors), 0)::bigint AS server_errors,
               coalesce(sum(r.latency_us_sum), 0)::bigint AS latency_us_sum,
               coalesce(sum(r.latency_count), 0)::bigint AS latency_count,
               -- Lines of visitors, but no sketch of them: counted before there were sketches.
               coalesce(bool_or(r.hits > r.client_errors AND NOT EXISTS (
                   SELECT FROM report.hourly_visitor AS v
                   WHERE (v.site, v.hour_start, v.revision) = (r.site, r.hour_start, r.revision)
               )), false) AS unknown
        FROM report.known_hour(traffic_measure.site, traffic_measure.start_at, traffic_measure.end_at,
                               traffic_measure.known_at) AS h
        JOIN report.hourly_traffic AS r
            ON r.site = traffic_measure.site AND r.hour_start = h.hour_start AND r.revision = h.revision
    ), visitor AS (
        SELECT count(*) AS keys, coalesce(sum(v.visitors), 0)::bigint AS visitors,
               coalesce(sum(v.visitors_bound), 0)::bigint AS visitors_bound
        FROM report.visitors(traffic_measure.site, traffic_measure.start_at, traffic_measure.end_at,
                             traffic_measure.known_at) AS v
    )
    SELECT t.hours, t.hits, t.bytes_sent, t.client_errors, t.server_errors, t.latency_us_sum, t.latency_count,
           report.latency_percentile_ms(l.bins, l.counts, 0.5, l.latency_us_max),
           report.latency_percentile_ms(l.bins, l.counts, 0.9, l.latency_us_max),
           report.latency_percentile_ms(l.bins, l.counts, 0.95, l.latency_us_max),
           report.latency_percentile_ms(l.bins, l.counts, 0.99, l.latency_us_max),
           l.latency_us_max / 1000.0::double precision,
           CASE WHEN v.keys <= 1 AND NOT t.unknown THEN v.visitors END,
           CASE WHEN v.keys <= 1 AND NOT t.unknown THEN v.visitors_bound END,
           v.keys
    FROM total AS t
    CROSS JOIN visitor AS v
    CROSS JOIN report.range_latency(traffic_measure.site, traffic_measure.start_at, traffic_measure.end_at,
                                    traffic_measure.known_at) AS l
$$;
COMMENT ON FUNCTION report.traffic_measure IS 'Traffic of a range in one row, without a comparison: what report.range_traffic, weekly_traffic and monthly_traffic are made of.';

CREATE FUNCTION report.range_traffic(
    site text, start_at timestamptz, end_at timestamptz, known_at timestamptz DEFAULT 'infinity'
) RETURNS TABLE (
    hours bigint, hits bigint, bytes_sent bigint, client_errors bigint, server_errors bigint,
    client_error_share double precision, server_error_share double precision, latency_us_sum bigint,
    latency_count bigint, mean_latency_ms numeric, p50_ms double precision, p90_ms double precision,
    p95_ms double precision, p99_ms double precision, max_ms double precision, visitors bigint, visitors_bound bigint,
    visitor_keys bigint, previous_start_at timestamptz, previous_hours bigint, previous_hits bigint,
    previous_bytes_sent bigint, previous_client_errors bigint, previous_server_errors bigint,
    previous_mean_latency_ms numeric, previous_p95_ms double precision, previous_visitors bigint,
    previous_visitors_bound bigint
)
    LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT m.hours, m.hits, m.bytes_sent, m.client_errors, m.server_errors,
           m.client_errors / nullif(m.hits, 0)::double precision, m.server_errors / nullif(m.hits, 0)::double precision,
           m.latency_us_sum, m.latency_count, report.mean_latency_ms(m.latency_us_sum, m.latency_count),
           m.p50_ms, m.p90_ms, m.p95_ms, m.p99_ms, m.max_ms, m.visitors, m.visitors_bound, m.visitor_keys,
           start_at - (end_at - start_at), p.hours, p.hits, p.bytes_sent, p.client_errors, p.server_errors,
           report.mean_latency_ms(p.latency_us_sum, p.latency_count), p.p95_ms, p.visitors, p.visitors_bound
    FROM report.traffic_measure(site, start_at, end_at, known_at) AS m
    CROSS JOIN report.traffic_measure(site, start_at - (end_at - start_at), start_at, known_at) AS p
$$;
COMMENT ON FUNCTION report.range_traffic IS 'Traffic of any range of whole hours in one row, beside the period of the same length before it, as known at a moment.';

-- ---- by page, country, status class and further dimensions
CREATE FUNCTION report.page_sum(
    site text, start_at timestamptz, end_at timestamptz, known_at timestamptz DEFAULT 'infinity'
) RETURNS TABLE (
    path text, hits bigint, bytes_sent bigint, client_errors bigint, server_errors bigint, latency_us_sum bigint,
    latency_count bigint
)
    LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT r.path, sum(r.hits)::bigint, sum(r.bytes_sent)::bigint, sum(r.client_errors)::bigint,
           sum(r.server_errors)::bigint, sum(r.latency_us_sum)::bigint, sum(r.latency_count)::bigint
    FROM report.known_hour(page_sum.site, page_sum.start_at, page_sum.end_at, page_sum.known_at) AS h
    JOIN report.hourly_page AS r
        ON r.site = page_sum.site AND r.hour_start = h.hour_start AND r.revision = h.revision
    GROUP BY r.path
$$;
COMMENT ON FUNCTION report.page_sum IS 'Traffic of a range by page, without percentiles and without a comparison.';

-- Histograms are added up page by page: grouping all pages' bins at once by path and bin takes nearly twice the time.
CREATE FUNCTION report.page_measure(
    site text, start_at timestamptz, end_at timestamptz, known_at timestamptz DEFAULT 'infinity'
) RETURNS TABLE (
    path text, hits bigint, bytes_sent bigint, client_errors bigint, server_errors bigint, latency_us_sum bigint,
    latency_count bigint, p50_ms double precision, p90_ms double precision, p95_ms double precision,
    p99_ms double precision, max_ms double precision
)
    LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    WITH hour AS MATERIALIZED (
        SELECT * FROM report.known_hour(page_measure.site, page_measure.start_at, page_measure.end_at,
                                        page_measure.known_at)
    )
    SELECT p.path, p.hits, p.bytes_sent, p.client_errors, p.server_errors, p.latency_us_sum, p.latency_count,
           report.latency_percentile_ms(l.bins, l.counts, 0.5, l.latency_us_max),
           report.latency_percentile_ms(l.bins, l.counts, 0.9, l.latency_us_max),
           report.latency_percentile_ms(l.bins, l.counts, 0.95, l.latency_us_max),
           report.latency_percentile_ms(l.bins, l.counts, 0.99, l.latency_us_max),
           l.latency_us_max / 1000.0::double precision
    FROM report.page_sum(page_measure.site, page_measure.start_at, page_measure.end_at, page_measure.known_at) AS p
    LEFT JOIN LATERAL (
        SELECT array_agg(b.bin ORDER BY b.bin) AS bins, array_agg(b.count ORDER BY b.bin) AS counts,
               max(b.latency_us_max) AS latency_us_max
        FROM (
            SELECT part.bin, sum(part.count)::bigint AS count, max(r.latency_us_max) AS latency_us_max
            FROM hour AS h
            JOIN report.hourly_latency AS r
                ON r.site = page_measure.site AND r.hour_start = h.hour_start AND r.revision = h.revision
                   AND r.path = p.path
            CROSS JOIN LATERAL unnest(r.bins, r.counts) AS part (bin, count)
            GROUP BY part.bin
        ) AS b
    ) AS l ON true
$$;
COMMENT ON FUNCTION report.page_measure IS 'Traffic of a range by page, without a comparison: what report.range_page and daily_page are made of.';

CREATE FUNCTION report.range_page(
    site text, start_at timestamptz, end_at timestamptz, known_at timestamptz DEFAULT 'infinity'
) RETURNS TABLE (
    path text, hits bigint, bytes_sent bigint, client_errors bigint, server_errors bigint,
    client_error_share double precision, server_error_share double precision, latency_us_sum bigint,
    latency_count bigint, mean_latency_ms numeric, p50_ms double precision, p90_ms double precision,
    p95_ms double precision, p99_ms double precision, max_ms double precision, previous_hits bigint,
    previous_bytes_sent bigint, previous_client_errors bigint, previous_server_errors bigint,
    previous_mean_latency_ms numeric
)
    LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT path, coalesce(m.hits, 0), coalesce(m.bytes_sent, 0), coalesce(m.client_errors, 0),
           coalesce(m.server_errors, 0), m.client_errors / nullif(m.hits, 0)::double precision,
           m.server_errors / nullif(m.hits, 0)::double precision, coalesce(m.latency_us_sum, 0),
           coalesce(m.latency_count, 0), report.mean_latency_ms(m.latency_us_sum, m.latency_count),
           m.p50_ms, m.p90_ms, m.p95_ms, m.p99_ms, m.max_ms, coalesce(p.hits, 0), coalesce(p.bytes_sent, 0),
           coalesce(p.client_errors, 0), coalesce(p.server_errors, 0),
           report.mean_latency_ms(p.latency_us_sum, p.latency_count)
    FROM report.page_measure(site, start_at, end_at, known_at) AS m
    FULL JOIN report.page_sum(site, start_at - (end_at - start_at), start_at, known_at) AS p USING (path)
$$;
COMMENT ON FUNCTION report.range_page IS 'Traffic of any range of whole hours by page, beside the period before it, as known at a moment; also pages that only the period before had.';

CREATE FUNCTION report.country_measure(
    site text, start_at timestamptz, end_at timestamptz, known_at timestamptz DEFAULT 'infinity'
) RETURNS TABLE (
    country text, hits bigint, bytes_sent bigint, client_errors bigint, server_errors bigint, latency_us_sum bigint,
    latency_count bigint
)
    LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT r.country, sum(r.hits)::bigint, sum(r.bytes_sent)::bigint, sum(r.client_errors)::bigint,
           sum(r.server_errors)::bigint, sum(r.latency_us_sum)::bigint, sum(r.latency_count)::bigint
    FROM report.known_hour(country_measure.site, country_measure.start_at, country_measure.end_at,
                           country_measure.known_at) AS h
    JOIN report.hourly_country AS r
        ON r.site = country_measure.site AND r.hour_start = h.hour_start AND r.revision = h.revision
    GROUP BY r.country
$$;
COMMENT ON FUNCTION report.country_measure IS 'Traffic of a range by country, without a comparison: what report.range_country and daily_country are made of.';

CREATE FUNCTION report.range_country(
    site text, start_at timestamptz, end_at timestamptz, known_at timestamptz DEFAULT 'infinity'
) RETURNS TABLE (
    country text, hits bigint, bytes_sent bigint, client_errors bigint, server_errors bigint,
    client_error_share double precision, server_error_share double precision, latency_us_sum bigint,
    latency_count bigint, mean_latency_ms numeric, previous_hits bigint, previous_bytes_sent bigint,
    previous_client_errors bigint, previous_server_errors bigint, previous_mean_latency_ms numeric
)
    LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT country, coalesce(m.hits, 0), coalesce(m.bytes_sent, 0), coalesce(m.client_errors, 0),
           coalesce(m.server_errors, 0), m.client_errors / nullif(m.hits, 0)::double precision,
           m.server_errors / nullif(m.hits, 0)::double precision, coalesce(m.latency_us_sum, 0),
           coalesce(m.latency_count, 0), report.mean_latency_ms(m.latency_us_sum, m.latency_count),
           coalesce(p.hits, 0), coalesce(p.bytes_sent, 0), coalesce(p.client_errors, 0), coalesce(p.server_errors, 0),
           report.mean_latency_ms(p.latency_us_sum, p.latency_count)
    FROM report.country_measure(site, start_at, end_at, known_at) AS m
    FULL JOIN report.country_measure(site, start_at - (end_at - start_at), start_at, known_at) AS p USING (country)
$$;
COMMENT ON FUNCTION report.range_country IS 'Traffic of any range of whole hours by country, beside the period before it, as known at a moment.';

CREATE FUNCTION report.status_measure(
    site text, start_at timestamptz, end_at timestamptz, known_at timestamptz DEFAULT 'infinity'
) RETURNS TABLE (status_class smallint, hits bigint, bytes_sent bigint, latency_us_sum bigint, latency_count bigint)
    LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT r.status_class, sum(r.hits)::bigint, sum(r.bytes_sent)::bigint, sum(r.latency_us_sum)::bigint,
           sum(r.latency_count)::bigint
    FROM report.known_hour(status_measure.site, status_measure.start_at, status_measure.end_at, status_measure.known_at)
        AS h
    JOIN report.hourly_status AS r
        ON r.site = status_measure.site AND r.hour_start = h.hour_start AND r.revision = h.revision
    GROUP BY r.status_class
$$;
COMMENT ON FUNCTION report.status_measure IS 'Traffic of a range by status class, without a comparison: what report.range_status and daily_status are made of.';

CREATE FUNCTION report.range_status(
    site text, start_at timestamptz, end_at timestamptz, known_at timestamptz DEFAULT 'infinity'
) RETURNS TABLE (
    status_class smallint, hits bigint, bytes_sent bigint, latency_us_sum bigint, latency_count bigint,
    mean_latency_ms numeric, previous_hits bigint, previous_bytes_sent bigint, previous_mean_latency_ms numeric
)
    LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT status_class, coalesce(m.hits, 0), coalesce(m.bytes_sent, 0), coalesce(m.latency_us_sum, 0),
           coalesce(m.latency_count, 0), report.mean_latency_ms(m.latency_us_sum, m.latency_count),
           coalesce(p.hits, 0), coalesce(p.bytes_sent, 0), report.mean_latency_ms(p.latency_us_sum, p.latency_count)
    FROM report.status_measure(site, start_at, end_at, known_at) AS m
    FULL JOIN report.status_measure(site, start_at - (end_at - start_at), start_at, known_at) AS p USING (status_class)
$$;
COMMENT ON FUNCTION report.range_status IS 'Traffic of any range of whole hours by status class, beside the period before it, as known at a moment.';

CREATE FUNCTION report.dimension_measure(
    site text, start_at timestamptz, end_at timestamptz, known_at timestamptz DEFAULT 'infinity',
    of_dimension text DEFAULT NULL
) RETURNS TABLE (
    dimension text, value text, agent_class text, hits bigint, bytes_sent bigint, client_errors bigint,
    server_errors bigint
)
    LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT r.dimension, r.value, r.agent_class, sum(r.hits)::bigint, sum(r.bytes_sent)::bigint,
           sum(r.client_errors)::bigint, sum(r.server_errors)::bigint
    FROM report.known_hour(dimension_measure.site, dimension_measure.start_at, dimension_measure.end_at,
                           dimension_measure.known_at) AS h
    JOIN report.hourly_dimension AS r
        ON r.site = dimension_measure.site AND r.hour_start = h.hour_start AND r.revision = h.revision
    WHERE dimension_measure.of_dimension IS NULL OR r.dimension = dimension_measure.of_dimension
    GROUP BY r.dimension, r.value, r.agent_class
$$;
COMMENT ON FUNCTION report.dimension_measure IS 'Traffic of a range by further dimensions (of_dimension: only that one), without a comparison: what report.range_dimension and daily_dimension are made of.';

CREATE FUNCTION report.range_dimension(
    site text, start_at timestamptz, end_at timestamptz, known_at timestamptz DEFAULT 'infinity',
    of_dimension text DEFAULT NULL
) RETURNS TABLE (
    dimension text, value text, agent_class text, hits bigint, bytes_sent bigint, client_errors bigint,
    server_errors bigint, client_error_share double precision, server_error_share double precision,
    previous_hits bigint, previous_bytes_sent bigint, previous_client_errors bigint, previous_server_errors bigint
)
    LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT coalesce(m.dimension, p.dimension), coalesce(m.value, p.value), coalesce(m.agent_class, p.agent_class),
           coalesce(m.hits, 0), coalesce(m.bytes_sent, 0), coalesce(m.client_errors, 0), coalesce(m.server_errors, 0),
           m.client_errors / nullif(m.hits, 0)::double precision, m.server_errors / nullif(m.hits, 0)::double precision,
           coalesce(p.hits, 0), coalesce(p.bytes_sent, 0), coalesce(p.client_errors, 0), coalesce(p.server_errors, 0)
    FROM report.dimension_measure(site, start_at, end_at, known_at, of_dimension) AS m
    FULL JOIN report.dimension_measure(site, start_at - (end_at - start_at), start_at, known_at, of_dimension) AS p
        ON (p.dimension, p.value, coalesce(p.agent_class, '')) = (m.dimension, m.value, coalesce(m.agent_class, ''))
$$;
COMMENT ON FUNCTION report.range_dimension IS 'Traffic of any range of whole hours by further dimensions (of_dimension: only that one), beside the period before it, as known at a moment.';

CREATE FUNCTION report.range_cell(site text, start_at timestamptz, end_at timestamptz) RETURNS TABLE (
    path text, country text, status_class smallint, agent_class text, hits bigint, bytes_sent bigint,
    latency_us_sum bigint, latency_count bigint
)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
AS $$
    SELECT p.path, b.country, b.status_class, b.agent_class, sum(b.hits)::bigint, sum(b.bytes_sent)::bigint,
           sum(b.latency_us_sum)::bigint, sum(b.latency_count)::bigint
    FROM stream.traffic_bucket AS b
    JOIN stream.page AS p USING (page_id)
    WHERE p.site = range_cell.site AND b.bucket_start >= range_cell.start_at AND b.bucket_start < range_cell.end_at
    GROUP BY p.path, b.country, b.status_class, b.agent_class
$$;
COMMENT ON FUNCTION report.range_cell IS 'Page by country by status class by agent class of any range of 10 s buckets, as counted at this moment: to filter one by the others. Buckets are kept for a limited time; there are no revisions of it.';

-- ---- days: every revision of a day, by the hour revisions it was made from
CREATE VIEW report.daily_page AS
SELECT d.site, d.day_start, d.revision, m.path, m.hits, m.bytes_sent, m.client_errors, m.server_errors, m.latency_us_sum,
       m.latency_count, report.mean_latency_ms(m.latency_us_sum, m.latency_count) AS mean_latency_ms,
       m.p50_ms, m.p90_ms, m.p95_ms, m.p99_ms, m.max_ms
FROM report.daily_traffic AS d
CROSS JOIN LATERAL report.page_measure(d.site, d.day_start, d.day_start + interval '24 hours', d.made_at) AS m;
COMMENT ON VIEW report.daily_page IS 'Traffic of each page and UTC day, by revision of the day. Filter by site and day_start.';

CREATE VIEW report.daily_country AS
SELECT d.site, d.day_start, d.revision, m.country, m.hits, m.bytes_sent, m.client_errors, m.server_errors,
       m.latency_us_sum, m.latency_count, report.mean_latency_ms(m.latency_us_sum, m.latency_count) AS mean_latency_ms
FROM report.daily_traffic AS d
CROSS JOIN LATERAL report.country_measure(d.site, d.day_start, d.day_start + interval '24 hours', d.made_at) AS m;
COMMENT ON VIEW report.daily_country IS 'Traffic of each country and UTC day, by revision of the day. Filter by site and day_start.';

CREATE VIEW report.daily_status AS
SELECT d.site, d.day_start, d.revision, m.status_class, m.hits, m.bytes_sent, m.latency_us_sum, m.latency_count,
       report.mean_latency_ms(m.latency_us_sum, m.latency_count) AS mean_latency_ms
FROM report.daily_traffic AS d
CROSS JOIN LATERAL report.status_measure(d.site, d.day_start, d.day_start + interval '24 hours', d.made_at) AS m;
COMMENT ON VIEW report.daily_status IS 'Traffic of each status class and UTC day, by revision of the day. Filter by site and day_start.';

CREATE VIEW report.daily_dimension AS
SELECT d.site, d.day_start, d.revision, m.dimension, m.value, m.agent_class, m.hits, m.bytes_sent, m.client_errors,
       m.server_errors
FROM report.daily_traffic AS d
CROSS JOIN LATERAL report.dimension_measure(d.site, d.day_start, d.day_start + interval '24 hours', d.made_at) AS m;
COMMENT ON VIEW report.daily_dimension IS 'Traffic of each UTC day by one further dimension at a time, by revision of the day. Filter by site and day_start.';

DO $$
DECLARE
    kind text;
BEGIN
    FOREACH kind IN ARRAY ARRAY['page', 'country', 'status', 'dimension'] LOOP
        EXECUTE format(
            'CREATE VIEW report.current_daily_%I AS SELECT d.* FROM report.daily_%I AS d WHERE NOT EXISTS ('
            ' SELECT FROM report.daily_traffic AS later WHERE (later.site, later.day_start) = (d.site, d.day_start)'
            ' AND later.revision > d.revision)', kind, kind);
        EXECUTE format('COMMENT ON VIEW report.current_daily_%I IS %L', kind,
                       'report.daily_' || kind || ': the latest revision of each day. Filter by site and day_start.');
    END LOOP;
END
$$;

-- ---- weeks and months: as known now; report.range_traffic gives them as known at any moment
CREATE VIEW report.weekly_traffic AS
SELECT w.site, w.week_start, m.hours, m.hits, m.bytes_sent, m.client_errors, m.server_errors, m.client_error_share,
       m.server_error_share, m.mean_latency_ms, m.p50_ms, m.p90_ms, m.p95_ms, m.p99_ms, m.max_ms, m.visitors,
       m.visitors_bound, m.visitor_keys, m.previous_hits, m.previous_bytes_sent, m.previous_client_errors,
       m.previous_server_errors, m.previous_p95_ms, m.previous_visitors, m.previous_visitors_bound
FROM (SELECT DISTINCT site, date_trunc('week', hour_start, 'UTC') AS week_start FROM report.hour_checked) AS w
CROSS JOIN LATERAL report.range_traffic(w.site, w.week_start, w.week_start + interval '168 hours') AS m;
COMMENT ON VIEW report.weekly_traffic IS 'Each site and ISO week (Monday to Sunday, UTC) from its hour reports as they are now, beside the week before. Filter by week_start.';

CREATE VIEW report.monthly_traffic AS
SELECT month.site, month.month_start, m.hours, m.hits, m.bytes_sent, m.client_errors, m.server_errors,
       m.client_errors / nullif(m.hits, 0)::double precision AS client_error_share,
       m.server_errors / nullif(m.hits, 0)::double precision AS server_error_share,
       report.mean_latency_ms(m.latency_us_sum, m.latency_count) AS mean_latency_ms,
       m.p50_ms, m.p90_ms, m.p95_ms, m.p99_ms, m.max_ms, m.visitors, m.visitors_bound, m.visitor_keys,
       p.hits AS previous_hits, p.bytes_sent AS previous_bytes_sent, p.client_errors AS previous_client_errors,
       p.server_errors AS previous_server_errors, p.p95_ms AS previous_p95_ms, p.visitors AS previous_visitors,
       p.visitors_bound AS previous_visitors_bound
FROM (SELECT DISTINCT site, date_trunc('month', hour_start, 'UTC') AS month_start FROM report.hour_checked) AS month
CROSS JOIN LATERAL (
    SELECT date_trunc('month', month.month_start + interval '768 hours', 'UTC') AS next_start,
           date_trunc('month', month.month_start - interval '24 hours', 'UTC') AS previous_start
) AS beside
CROSS JOIN LATERAL report.traffic_measure(month.site, month.month_start, beside.next_start) AS m
CROSS JOIN LATERAL report.traffic_measure(month.site, beside.previous_start, month.month_start) AS p;
COMMENT ON VIEW report.monthly_traffic IS 'Each site and calendar month (UTC) from its hour reports as they are now, beside the month before. Filter by month_start.';

-- ---- visits, as counted at this moment. A visit belongs to the range it began in, whole.
CREATE FUNCTION report.visits(site text, start_at timestamptz, end_at timestamptz) RETURNS TABLE (
    agent_class text, visits bigint, bounces bigint, page_views bigint, duration_seconds_sum numeric, hits bigint
)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
AS $$
    SELECT v.agent_class, count(*), count(*) FILTER (WHERE v.page_views <= 1), sum(v.page_views)::bigint,
           sum(extract(epoch FROM v.ended_at - v.started_at)), sum(v.hits)::bigint
    FROM stream.visit AS v
    WHERE v.site = visits.site AND v.started_at >= visits.start_at AND v.started_at < visits.end_at
      AND v.hits > v.client_errors
    GROUP BY v.agent_class
$$;
COMMENT ON FUNCTION report.visits IS 'Visits that began in a range, by agent class, as counted at this moment; visits of nothing but 4xx answers are left out.';

CREATE FUNCTION report.entry_pages(site text, start_at timestamptz, end_at timestamptz) RETURNS TABLE (
    agent_class text, path text, visits bigint
)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
AS $$
    SELECT v.agent_class, v.entry_path, count(*)
    FROM stream.visit AS v
    WHERE v.site = entry_pages.site AND v.started_at >= entry_pages.start_at AND v.started_at < entry_pages.end_at
      AND v.hits > v.client_errors AND v.entry_path IS NOT NULL
    GROUP BY v.agent_class, v.entry_path
$$;
COMMENT ON FUNCTION report.entry_pages IS 'Pages on which the visits of a range began, by agent class, as counted at this moment; visits without a page view have none.';

CREATE FUNCTION report.exit_pages(site text, start_at timestamptz, end_at timestamptz) RETURNS TABLE (
    agent_class text, path text, visits bigint
)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
AS $$
    SELECT v.agent_class, v.exit_path, count(*)
    FROM stream.visit AS v
    WHERE v.site = exit_pages.site AND v.started_at >= exit_pages.start_at AND v.started_at < exit_pages.end_at
      AND v.hits > v.client_errors AND v.exit_path IS NOT NULL
    GROUP BY v.agent_class, v.exit_path
$$;
COMMENT ON FUNCTION report.exit_pages IS 'Pages on which the visits of a range ended, by agent class, as counted at this moment; visits without a page view have none.';

CALL report.comment_columns();

GRANT SELECT ON ALL TABLES IN SCHEMA report TO footfall_reporter, footfall_reader;

RESET ROLE;
