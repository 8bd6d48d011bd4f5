-- Every cell of the given hour reports beside the same cell summed from the buckets anew, and the texts stored
-- with them. Grain: hour (its place in the arrays, from 0), dimension, key.
-- Parameters: sites, hour_starts, revisions (arrays of the same length). Reads only.
-- A report is compared only when nobody has added to its hour since (then the buckets of this moment are those it
-- must equal): an hour with late data is left out here and waits for its next revision. A cell that one side
-- does not have counts as 0 there. The sums are made another way than reports/publish_hours makes them. Further
-- dimensions stand under their own names (the one of three digits as status_code) beside the stream's counts of them.
WITH hour AS (
    SELECT asked.place - 1 AS hour, asked.site, asked.hour_start, asked.revision
    FROM unnest(%(sites)s::text[], %(hour_starts)s::timestamptz[], %(revisions)s::integer[])
        WITH ORDINALITY AS asked (site, hour_start, revision, place)
    JOIN stream.touched_hour AS t USING (site, hour_start)
    JOIN report.hour_checked AS c USING (site, hour_start, revision)
    WHERE c.ledger_id >= t.last_ledger_id
), cell AS MATERIALIZED (
    SELECT h.hour, p.path, part.country, part.status_class, part.hits, part.bytes_sent, part.latency_us_sum,
           part.latency_count
    FROM (SELECT DISTINCT hour_start FROM hour) AS span
    CROSS JOIN LATERAL (
        SELECT b.page_id, b.country, b.status_class, sum(b.hits)::bigint AS hits,
               sum(b.bytes_sent)::bigint AS bytes_sent, sum(b.latency_us_sum)::bigint AS latency_us_sum,
               sum(b.latency_count)::bigint AS latency_count
        FROM stream.traffic_bucket AS b
        WHERE b.bucket_start >= span.hour_start AND b.bucket_start < span.hour_start + interval '1 hour'
        GROUP BY b.page_id, b.country, b.status_class
    ) AS part
    JOIN stream.page AS p USING (page_id)
    JOIN hour AS h ON h.site = p.site AND h.hour_start = span.hour_start
), keyed AS (
    SELECT hour, 'total' AS dimension, '' AS key, status_class, hits, bytes_sent, latency_us_sum, latency_count FROM cell
    UNION ALL
    SELECT hour, 'page', path, status_class, hits, bytes_sent, latency_us_sum, latency_count FROM cell
    UNION ALL
    SELECT hour, 'country', country, status_class, hits, bytes_sent, latency_us_sum, latency_count FROM cell
    UNION ALL
    SELECT hour, 'status', status_class::text, status_class, hits, bytes_sent, latency_us_sum, latency_count FROM cell
), further_bucket AS (
    SELECT h.hour, CASE d.dimension WHEN 'status' THEN 'status_code' ELSE d.dimension END AS dimension, d.value AS key,
           d.hits, d.bytes_sent, d.client_errors, d.server_errors, 0 AS latency_us_sum, 0 AS latency_count
    FROM hour AS h
    JOIN stream.dimension_hour AS d USING (site, hour_start)
), bucket AS (
    SELECT hour, dimension, key, sum(hits) AS hits, sum(bytes_sent) AS bytes_sent,
           sum(CASE status_class WHEN 4 THEN hits ELSE 0 END) AS client_errors,
           sum(CASE status_class WHEN 5 THEN hits ELSE 0 END) AS server_errors,
           sum(latency_us_sum) AS latency_us_sum, sum(latency_count) AS latency_count
    FROM keyed
    GROUP BY hour, dimension, key
    UNION ALL
    TABLE further_bucket
), published AS (
    SELECT hour, 'total' AS dimension, '' AS key, r.hits, r.bytes_sent, r.client_errors, r.server_errors,
           r.latency_us_sum, r.latency_count
    FROM hour JOIN report.hourly_traffic AS r USING (site, hour_start, revision)
    UNION ALL
    SELECT hour, 'page', r.path, r.hits, r.bytes_sent, r.client_errors, r.server_errors, r.latency_us_sum,
           r.latency_count
    FROM hour JOIN report.hourly_page AS r USING (site, hour_start, revision)
    UNION ALL
    SELECT hour, 'country', r.country, r.hits, r.bytes_sent, r.client_errors, r.server_errors, r.latency_us_sum,
           r.latency_count
    FROM hour JOIN report.hourly_country AS r USING (site, hour_start, revision)
    UNION ALL
    SELECT hour, 'status', r.status_class::text, r.hits, r.bytes_sent,
           CASE r.status_class WHEN 4 THEN r.hits ELSE 0 END, CASE r.status_class WHEN 5 THEN r.hits ELSE 0 END,
           r.latency_us_sum, r.latency_count
    FROM hour JOIN report.hourly_status AS r USING (site, hour_start, revision)
    UNION ALL
    SELECT hour, CASE r.dimension WHEN 'status' THEN 'status_code' ELSE r.dimension END, r.value, r.hits, r.bytes_sent,
           r.client_errors, r.server_errors, 0, 0
    FROM hour JOIN report.hourly_dimension AS r USING (site, hour_start, revision)
), compared AS (
    SELECT hour, dimension, key, b.hits IS NOT NULL AS in_bucket, r.hits IS NOT NULL AS in_report,
           coalesce(r.hits, 0)::bigint AS report_hits, coalesce(b.hits, 0)::bigint AS bucket_hits,
           coalesce(r.bytes_sent, 0)::bigint AS report_bytes_sent,
           coalesce(b.bytes_sent, 0)::bigint AS bucket_bytes_sent,
           coalesce(r.client_errors, 0)::bigint AS report_client_errors,
           coalesce(b.client_errors, 0)::bigint AS bucket_client_errors,
           coalesce(r.server_errors, 0)::bigint AS report_server_errors,
           coalesce(b.server_errors, 0)::bigint AS bucket_server_errors,
           coalesce(r.latency_us_sum, 0)::bigint AS report_latency_us_sum,
           coalesce(b.latency_us_sum, 0)::bigint AS bucket_latency_us_sum,
           coalesce(r.latency_count, 0)::bigint AS report_latency_count,
           coalesce(b.latency_count, 0)::bigint AS bucket_latency_count
    FROM bucket AS b
    FULL JOIN published AS r USING (hour, dimension, key)
)
SELECT hour, dimension, report_hits, bucket_hits, report_bytes_sent, bucket_bytes_sent, report_client_errors,
       bucket_client_errors, report_server_errors, bucket_server_errors, report_latency_us_sum,
       bucket_latency_us_sum, report_latency_count, bucket_latency_count,
       CASE WHEN in_bucket AND dimension NOT IN ('total', 'country', 'status') THEN key END AS bucket_text,
       CASE WHEN in_report AND dimension NOT IN ('total', 'country', 'status') THEN key END AS report_text,
       CASE WHEN in_bucket AND dimension = 'country' THEN key END AS bucket_country,
       CASE WHEN in_report AND dimension = 'country' THEN key END AS report_country,
       CASE WHEN in_bucket AND dimension = 'status' THEN key END AS bucket_status_class,
       CASE WHEN in_report AND dimension = 'status' THEN key END AS report_status_class
FROM compared
UNION ALL
SELECT hour, 'text', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
       site, NULL, NULL, NULL, NULL, NULL
FROM hour
UNION ALL
-- Reasons that came in between the start of the hour and its report: every reason falls to some hour.
SELECT DISTINCT hour, 'text', NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint,
       NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint,
       NULL, reason.text, NULL, NULL, NULL, NULL
FROM hour
JOIN report.hour_revision AS v USING (site, hour_start, revision)
JOIN (
    SELECT received_hour AS since, reason AS text FROM stream.rejected_count
    UNION ALL
    SELECT recorded_at, reason FROM stream.lost_range
) AS reason ON reason.since >= hour_start AND reason.since <= v.made_at
