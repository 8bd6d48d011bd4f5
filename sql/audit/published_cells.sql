-- The published reports of the hours, days and months from start until end_, all in the same columns; a column that
-- a report does not have is null. Grain: report, site, start, key. Parameters: start, end_ (half-open range).
-- Of hourly_latency and of the sketches in hourly_visitor it reads what a range would: what they are made of.
-- Reads only; copied out, since there may be millions. spark_jobs/audit_figures.py names the same columns.
WITH hour AS MATERIALIZED (
    SELECT site, hour_start, revision, extract(epoch FROM hour_start)::bigint AS start_s
    FROM report.hour_checked
    WHERE hour_start >= %(start)s AND hour_start < %(end_)s
), day AS MATERIALIZED (
    SELECT site, day_start, revision, extract(epoch FROM day_start)::bigint AS start_s
    FROM report.current_daily_traffic
    WHERE day_start >= %(start)s AND day_start + interval '24 hours' <= %(end_)s
), visit_day AS MATERIALIZED (
    SELECT v.site, v.day_start, max(v.revision) AS revision, extract(epoch FROM v.day_start)::bigint AS start_s
    FROM report.visit_revision AS v
    WHERE v.day_start >= %(start)s AND v.day_start + interval '24 hours' <= %(end_)s
    GROUP BY v.site, v.day_start
), month AS MATERIALIZED (
    -- Months whose first hour is within the range, up to the end of the month or of the range.
    SELECT s.site, m.month_start, least(m.month_start + interval '1 month', %(end_)s) AS until,
           extract(epoch FROM m.month_start)::bigint AS start_s
    FROM (SELECT DISTINCT site FROM hour) AS s
    CROSS JOIN generate_series(date_trunc('month', %(start)s::timestamptz, 'UTC'), %(end_)s, interval '1 month')
        AS m (month_start)
    WHERE m.month_start >= %(start)s AND m.month_start < %(end_)s
)
SELECT 'hourly_traffic' AS report, site, start_s, '' AS key, r.hits, r.bytes_sent, r.client_errors, r.server_errors,
       r.latency_us_sum, r.latency_count, r.visitors, r.visitors_bound, r.p50_ms, r.p90_ms, r.p95_ms, r.p99_ms, r.max_ms,
       NULL::bigint AS hours, NULL::bigint AS visits, NULL::bigint AS bounces, NULL::bigint AS page_views,
       NULL::double precision AS duration_seconds_sum, NULL::text AS agent_class,
       NULL::bigint AS sketch_visitors, NULL::bigint AS latency_bin_sum, NULL::bigint AS latency_bin_square_sum
FROM hour JOIN report.hourly_traffic AS r USING (site, hour_start, revision)
UNION ALL
SELECT 'hourly_page', site, start_s, r.path, r.hits, r.bytes_sent, r.client_errors, r.server_errors, r.latency_us_sum,
       r.latency_count, NULL, NULL, r.p50_ms, r.p90_ms, r.p95_ms, r.p99_ms, r.max_ms, NULL, NULL, NULL, NULL, NULL, NULL,
       NULL, NULL, NULL
FROM hour JOIN report.hourly_page AS r USING (site, hour_start, revision)
UNION ALL
SELECT 'hourly_country', site, start_s, r.country, r.hits, r.bytes_sent, r.client_errors, r.server_errors,
       r.latency_us_sum, r.latency_count, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
       NULL, NULL, NULL
FROM hour JOIN report.hourly_country AS r USING (site, hour_start, revision)
UNION ALL
SELECT 'hourly_status', site, start_s, r.status_class::text, r.hits, r.bytes_sent, NULL, NULL, r.latency_us_sum,
       r.latency_count, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM hour JOIN report.hourly_status AS r USING (site, hour_start, revision)
UNION ALL
SELECT 'hourly_dimension', site, start_s, r.dimension || ': ' || r.value, r.hits, r.bytes_sent, r.client_errors,
       r.server_errors, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, r.agent_class,
       NULL, NULL, NULL
FROM hour JOIN report.hourly_dimension AS r USING (site, hour_start, revision)
UNION ALL
SELECT 'hourly_visitor', site, start_s, r.agent_class, NULL, NULL, NULL, NULL, NULL, NULL,
       -- Two keys meet in the hour: one figure each, and no sum of them is a number of visitors.
       CASE WHEN count(*) = 1 THEN max(r.visitors) END,
       CASE WHEN count(*) = 1 THEN least(max(r.visitors_bound), max(report.visitor_bound(held.hashes, held.theta))) END,
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
       CASE WHEN count(*) = 1 THEN max(report.visitor_estimate(held.hashes, held.theta)) END, NULL, NULL
FROM hour
JOIN report.hourly_visitor AS r USING (site, hour_start, revision)
CROSS JOIN LATERAL (SELECT report.theta(r.sketch) AS theta OFFSET 0) AS sketch
CROSS JOIN LATERAL (
    SELECT sketch.theta, count(DISTINCT one.hash) AS hashes
    FROM unnest(report.theta_hashes(r.sketch)) AS one (hash)
    WHERE one.hash < sketch.theta
) AS held
GROUP BY site, start_s, r.agent_class
UNION ALL
SELECT 'hourly_latency', site, start_s, r.path, NULL, NULL, NULL, NULL, NULL, counted.latency_count, NULL, NULL,
       NULL, NULL, NULL, NULL, r.latency_us_max / 1000.0::double precision,
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, counted.latency_bin_sum, counted.latency_bin_square_sum
FROM hour
JOIN report.hourly_latency AS r USING (site, hour_start, revision)
CROSS JOIN LATERAL (
    SELECT sum(part.count)::bigint AS latency_count, sum(part.bin * part.count)::bigint AS latency_bin_sum,
           sum(part.bin::integer * part.bin * part.count)::bigint AS latency_bin_square_sum
    FROM unnest(r.bins, r.counts) AS part (bin, count)
) AS counted
UNION ALL
SELECT 'hourly_minute', site, start_s, (part.place - 1)::text, part.hits, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM hour
JOIN report.hourly_minute AS r USING (site, hour_start, revision)
CROSS JOIN LATERAL unnest(r.minute_hits) WITH ORDINALITY AS part (hits, place)
WHERE part.hits > 0
UNION ALL
SELECT 'daily_traffic', site, start_s, '', r.hits, r.bytes_sent, r.client_errors, r.server_errors, r.latency_us_sum,
       r.latency_count, r.visitors, r.visitors_bound, r.p50_ms, r.p90_ms, r.p95_ms, r.p99_ms, r.max_ms, r.hours,
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM day JOIN report.daily_traffic AS r USING (site, day_start, revision)
UNION ALL
SELECT 'daily_visit', site, start_s, r.agent_class, r.hits, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
       NULL, NULL, NULL, r.visits, r.bounces, r.page_views, r.duration_seconds_sum::double precision, NULL,
       NULL, NULL, NULL
FROM visit_day JOIN report.daily_visit AS r USING (site, day_start, revision)
UNION ALL
SELECT 'daily_entry_page', site, start_s, r.agent_class || ': ' || r.path, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
       NULL, NULL, NULL, NULL, NULL, NULL, r.visits, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM visit_day JOIN report.daily_entry_page AS r USING (site, day_start, revision)
UNION ALL
SELECT 'daily_exit_page', site, start_s, r.agent_class || ': ' || r.path, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
       NULL, NULL, NULL, NULL, NULL, NULL, r.visits, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM visit_day JOIN report.daily_exit_page AS r USING (site, day_start, revision)
UNION ALL
SELECT 'traffic_measure', site, start_s, '', r.hits, NULL, NULL, NULL, NULL, NULL, r.visitors, r.visitors_bound,
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM month CROSS JOIN LATERAL report.traffic_measure(site, month_start, until) AS r
