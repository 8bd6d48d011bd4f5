-- Finds the hours whose collected numbers differ from their latest revision, into a temporary table for
-- reports/publish_hours. Grain: site and hour. No parameters.
-- Runs after reports/collect_hours and reports/add_visitors in their transaction. Derived figures (estimates,
-- percentiles) are not compared: they follow from the sketches and histograms, which are. An hour without any bucket
-- is left alone.
CREATE TEMPORARY TABLE publishing_change ON COMMIT DROP AS
WITH published_row AS (
    SELECT 'traffic', r.site, r.hour_start, NULL::text, NULL::text, NULL::smallint,
           r.hits, r.bytes_sent, r.client_errors, r.server_errors, r.latency_us_sum, r.latency_count
    FROM pg_temp.publishing_hour AS h
    JOIN report.hourly_traffic AS r ON (r.site, r.hour_start, r.revision) = (h.site, h.hour_start, h.last_revision)
    UNION ALL
    SELECT 'page', r.site, r.hour_start, r.path, NULL, NULL,
           r.hits, r.bytes_sent, r.client_errors, r.server_errors, r.latency_us_sum, r.latency_count
    FROM pg_temp.publishing_hour AS h
    JOIN report.hourly_page AS r ON (r.site, r.hour_start, r.revision) = (h.site, h.hour_start, h.last_revision)
    UNION ALL
    SELECT 'country', r.site, r.hour_start, NULL, r.country, NULL,
           r.hits, r.bytes_sent, r.client_errors, r.server_errors, r.latency_us_sum, r.latency_count
    FROM pg_temp.publishing_hour AS h
    JOIN report.hourly_country AS r ON (r.site, r.hour_start, r.revision) = (h.site, h.hour_start, h.last_revision)
    UNION ALL
    SELECT 'status', r.site, r.hour_start, NULL, NULL, r.status_class, r.hits, r.bytes_sent,
           CASE WHEN r.status_class = 4 THEN r.hits ELSE 0 END, CASE WHEN r.status_class = 5 THEN r.hits ELSE 0 END,
           r.latency_us_sum, r.latency_count
    FROM pg_temp.publishing_hour AS h
    JOIN report.hourly_status AS r ON (r.site, r.hour_start, r.revision) = (h.site, h.hour_start, h.last_revision)
), moved_row AS (
    (TABLE pg_temp.publishing_row EXCEPT TABLE published_row)
    UNION ALL
    (TABLE published_row EXCEPT TABLE pg_temp.publishing_row)
), published_latency AS (
    SELECT r.site, r.hour_start, r.path, r.bins, r.counts, r.latency_us_max
    FROM pg_temp.publishing_hour AS h
    JOIN report.hourly_latency AS r ON (r.site, r.hour_start, r.revision) = (h.site, h.hour_start, h.last_revision)
), moved_latency AS (
    (TABLE pg_temp.publishing_latency EXCEPT TABLE published_latency)
    UNION ALL
    (TABLE published_latency EXCEPT TABLE pg_temp.publishing_latency)
), published_visitor AS (
    SELECT r.site, r.hour_start, r.key_id, r.agent_class, r.sketch
    FROM pg_temp.publishing_hour AS h
    JOIN report.hourly_visitor AS r ON (r.site, r.hour_start, r.revision) = (h.site, h.hour_start, h.last_revision)
), moved_visitor AS (
    (TABLE pg_temp.publishing_visitor EXCEPT TABLE published_visitor)
    UNION ALL
    (TABLE published_visitor EXCEPT TABLE pg_temp.publishing_visitor)
), dimension_now AS (
    SELECT site, hour_start, dimension, value, hits, bytes_sent, client_errors, server_errors, agent_class
    FROM pg_temp.publishing_dimension
), dimension_then AS (
    SELECT r.site, r.hour_start, r.dimension, r.value, r.hits, r.bytes_sent, r.client_errors, r.server_errors,
           r.agent_class
    FROM pg_temp.publishing_hour AS h
    JOIN report.hourly_dimension AS r ON (r.site, r.hour_start, r.revision) = (h.site, h.hour_start, h.last_revision)
), moved_dimension AS (
    (TABLE dimension_now EXCEPT TABLE dimension_then)
    UNION ALL
    (TABLE dimension_then EXCEPT TABLE dimension_now)
), moved AS (
    SELECT site, hour_start, path, false AS only_class FROM moved_row
    UNION ALL
    SELECT site, hour_start, path, false FROM moved_latency
    UNION ALL
    SELECT site, hour_start, NULL, false FROM moved_visitor
    UNION ALL
    -- A row that changed nothing but its class stands in both halves, so twice.
    SELECT site, hour_start, NULL, count(*) = 2
    FROM moved_dimension
    GROUP BY site, hour_start, dimension, value, hits, bytes_sent, client_errors, server_errors
)
SELECT h.site, h.hour_start, coalesce(h.last_revision, 0) + 1 AS revision, h.last_ledger_id,
       count(DISTINCT nullif(m.path, ''))::integer AS pages_moved, bool_and(m.only_class) AS only_class
FROM moved AS m
JOIN pg_temp.publishing_hour AS h USING (site, hour_start)
WHERE EXISTS (SELECT FROM pg_temp.publishing_cell AS c WHERE (c.site, c.hour_start) = (h.site, h.hour_start))
GROUP BY h.site, h.hour_start, h.last_revision, h.last_ledger_id
