-- Collects what the given hours hold now, into temporary tables for reports/publish_hours. Grain: site, hour and what a
-- report is told apart by. Parameters: sites, hour_starts (arrays of the same length; closed hours).
-- Runs after reports/lock_publishing in the same REPEATABLE READ transaction: buckets, ledger and the reports
-- before are seen in one snapshot. A rerun collects nothing: an hour that nobody added to is left out.

CREATE TEMPORARY TABLE publishing_hour ON COMMIT DROP AS
SELECT site, hour_start, c.revision AS last_revision, c.ledger_id AS last_ledger_id,
       t.last_ledger_id AS touched_ledger_id
FROM unnest(%(sites)s::text[], %(hour_starts)s::timestamptz[]) AS asked (site, hour_start)
JOIN stream.touched_hour AS t USING (site, hour_start)
LEFT JOIN report.hour_checked AS c USING (site, hour_start)
WHERE c.ledger_id IS NULL OR t.last_ledger_id > c.ledger_id;

ANALYZE pg_temp.publishing_hour;

-- The buckets of those hours, without the 10 s grain: summed by page number first, which is three times as fast.
CREATE TEMPORARY TABLE publishing_cell ON COMMIT DROP AS
SELECT site, hour_start, p.path, cell.country, cell.status_class,
       cell.hits, cell.bytes_sent, cell.latency_us_sum, cell.latency_count
FROM (SELECT DISTINCT hour_start FROM pg_temp.publishing_hour) AS span
CROSS JOIN LATERAL (
    SELECT b.page_id, b.country, b.status_class,
           sum(b.hits)::bigint AS hits, sum(b.bytes_sent)::bigint AS bytes_sent,
           sum(b.latency_us_sum)::bigint AS latency_us_sum, sum(b.latency_count)::bigint AS latency_count
    FROM stream.traffic_bucket AS b
    WHERE b.bucket_start >= span.hour_start AND b.bucket_start < span.hour_start + interval '1 hour'
    GROUP BY b.page_id, b.country, b.status_class
) AS cell
JOIN stream.page AS p USING (page_id)
JOIN pg_temp.publishing_hour AS h USING (site, hour_start);

-- The rows of all four reports; the dimensions a report does not have are null.
CREATE TEMPORARY TABLE publishing_row ON COMMIT DROP AS
SELECT CASE grouping(path, country, status_class)
           WHEN 7 THEN 'traffic' WHEN 3 THEN 'page' WHEN 5 THEN 'country' WHEN 6 THEN 'status'
       END AS report,
       site, hour_start, path, country, status_class,
       sum(hits)::bigint AS hits,
       sum(bytes_sent)::bigint AS bytes_sent,
       coalesce(sum(hits) FILTER (WHERE status_class = 4), 0)::bigint AS client_errors,
       coalesce(sum(hits) FILTER (WHERE status_class = 5), 0)::bigint AS server_errors,
       sum(latency_us_sum)::bigint AS latency_us_sum,
       sum(latency_count)::bigint AS latency_count
FROM pg_temp.publishing_cell
GROUP BY GROUPING SETS ((site, hour_start), (site, hour_start, path), (site, hour_start, country),
                        (site, hour_start, status_class));

-- Histograms of each page, and (path empty) of all pages of the hour together.
CREATE TEMPORARY TABLE publishing_latency ON COMMIT DROP AS
WITH bin AS MATERIALIZED (
    SELECT h.site, h.hour_start, p.path, cell.bin, cell.count, cell.latency_us_max
    FROM (SELECT DISTINCT hour_start FROM pg_temp.publishing_hour) AS span
    CROSS JOIN LATERAL (
        SELECT b.page_id, part.bin, sum(part.count) AS count, max(b.latency_us_max) AS latency_us_max
        FROM stream.latency_bin AS b
        CROSS JOIN LATERAL unnest(b.bins, b.counts) AS part (bin, count)
        WHERE b.bucket_start >= span.hour_start AND b.bucket_start < span.hour_start + interval '1 hour'
        GROUP BY b.page_id, part.bin
    ) AS cell
    JOIN stream.page AS p USING (page_id)
    JOIN pg_temp.publishing_hour AS h ON (h.site, h.hour_start) = (p.site, span.hour_start)
), added AS (
    SELECT site, hour_start, CASE grouping(path) WHEN 1 THEN '' ELSE path END AS path, bin, sum(count)::bigint AS count,
           max(latency_us_max) AS latency_us_max
    FROM bin
    GROUP BY GROUPING SETS ((site, hour_start, path, bin), (site, hour_start, bin))
)
SELECT site, hour_start, path, array_agg(bin ORDER BY bin) AS bins, array_agg(count ORDER BY bin) AS counts,
       max(latency_us_max) AS latency_us_max
FROM added
GROUP BY site, hour_start, path;

-- The class of a rule is the one it gives today.
CREATE TEMPORARY TABLE publishing_dimension ON COMMIT DROP AS
SELECT site, hour_start, d.dimension, d.value,
       CASE d.dimension WHEN 'agent_rule' THEN coalesce(a.agent_class, 'unknown') END AS agent_class,
       d.hits, d.bytes_sent, d.client_errors, d.server_errors
FROM pg_temp.publishing_hour AS h
JOIN stream.dimension_hour AS d USING (site, hour_start)
LEFT JOIN stream.agent_rule AS a ON d.dimension = 'agent_rule' AND a.rule = d.value;

-- Filled by reports/add_visitors: the union of the hour's minutes, made by the library whose format they have.
CREATE TEMPORARY TABLE publishing_visitor (
    site text, hour_start timestamptz, key_id text, agent_class text, sketch bytea
) ON COMMIT DROP
