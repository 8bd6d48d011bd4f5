-- depends: 0008b.report-ranges
-- Live numbers of visitors, percentiles, status classes and agents. As with the other live views: the owner's rights, and
-- the time in the log lines, counted back from each site's newest bucket.

SET LOCAL ROLE footfall_owner;

CREATE OR REPLACE VIEW report.live_total AS
WITH clean AS (
    SELECT r.site, r.hits, r.bytes_sent, r.client_errors, r.server_errors, r.latency_us_sum, r.latency_count
    FROM stream.touched_hour AS t
    JOIN report.hour_checked AS h USING (site, hour_start)
    JOIN report.hourly_traffic AS r USING (site, hour_start, revision)
    WHERE h.ledger_id >= t.last_ledger_id
), unreported AS (
    SELECT t.site, t.hour_start
    FROM stream.touched_hour AS t
    LEFT JOIN report.hour_checked AS h USING (site, hour_start)
    WHERE h.ledger_id IS NULL OR h.ledger_id < t.last_ledger_id
), fresh AS (
    SELECT site, cell.hits, cell.bytes_sent, cell.client_errors, cell.server_errors, cell.latency_us_sum,
           cell.latency_count
    FROM (SELECT DISTINCT hour_start FROM unreported) AS span
    CROSS JOIN LATERAL (
        SELECT b.page_id, sum(b.hits) AS hits, sum(b.bytes_sent) AS bytes_sent,
               sum(b.hits) FILTER (WHERE b.status_class = 4) AS client_errors,
               sum(b.hits) FILTER (WHERE b.status_class = 5) AS server_errors,
               sum(b.latency_us_sum) AS latency_us_sum, sum(b.latency_count) AS latency_count
        FROM stream.traffic_bucket AS b
        WHERE b.bucket_start >= span.hour_start AND b.bucket_start < span.hour_start + interval '1 hour'
        GROUP BY b.page_id
    ) AS cell
    JOIN stream.page AS p USING (page_id)
    JOIN unreported AS u USING (site, hour_start)
), total AS (
    SELECT site, sum(hits)::bigint AS hits, sum(bytes_sent)::bigint AS bytes_sent,
           coalesce(sum(client_errors), 0)::bigint AS client_errors,
           coalesce(sum(server_errors), 0)::bigint AS server_errors,
           report.mean_latency_ms(sum(latency_us_sum), sum(latency_count)) AS mean_latency_ms
    FROM (TABLE clean UNION ALL TABLE fresh) AS hour
    GROUP BY site
)
SELECT t.site, t.hits, t.bytes_sent, t.client_errors, t.server_errors, t.mean_latency_ms, s.first_hour_start,
       s.last_bucket_start,
       extract(epoch FROM now() - s.last_bucket_start)::double precision AS last_bucket_age_seconds,
       CASE WHEN v.keys = 1 THEN v.visitors WHEN v.keys = 0 AND NOT seen.any_visitor THEN 0 END AS visitors,
       CASE WHEN v.keys = 1 THEN v.visitors_bound WHEN v.keys = 0 AND NOT seen.any_visitor THEN 0 END AS visitors_bound,
       report.latency_percentile_ms(l.bins, l.counts, 0.5, l.latency_us_max) AS p50_ms,
       report.latency_percentile_ms(l.bins, l.counts, 0.95, l.latency_us_max) AS p95_ms,
       report.latency_percentile_ms(l.bins, l.counts, 0.99, l.latency_us_max) AS p99_ms
FROM total AS t
JOIN report.site AS s USING (site)
CROSS JOIN LATERAL (
    -- Sketches of the last 30 minutes: the newest, which still fills, and the 29 before it.
    SELECT count(*) AS keys, min(report.visitor_estimate(united.hashes, united.theta)) AS visitors,
           min(report.visitor_bound(united.hashes, united.theta)) AS visitors_bound
    FROM (
        SELECT sketch.key_id, sketch.theta, count(DISTINCT held.hash) AS hashes
        FROM (
            SELECT k.key_id, k.sketch, min(report.theta(k.sketch)) OVER (PARTITION BY k.key_id) AS theta
            FROM stream.visitor_sketch AS k
            WHERE k.site = s.site AND k.minute_start <= s.last_bucket_start
              AND k.minute_start > date_trunc('minute', s.last_bucket_start) - interval '30 minutes'
        ) AS sketch
        LEFT JOIN LATERAL unnest(report.theta_hashes(sketch.sketch)) AS held (hash) ON held.hash < sketch.theta
        GROUP BY sketch.key_id, sketch.theta
    ) AS united
) AS v
CROSS JOIN LATERAL (
    SELECT EXISTS (
        SELECT
        FROM stream.traffic_bucket AS b
        JOIN stream.page AS p USING (page_id)
        WHERE p.site = s.site AND b.status_class <> 4 AND b.bucket_start <= s.last_bucket_start
          AND b.bucket_start >= date_trunc('minute', s.last_bucket_start) - interval '29 minutes'
    ) AS any_visitor
) AS seen
CROSS JOIN LATERAL (
    SELECT array_agg(bin.bin ORDER BY bin.bin) AS bins, array_agg(bin.count ORDER BY bin.bin) AS counts,
           max(bin.latency_us_max) AS latency_us_max
    FROM (
        SELECT part.bin, sum(part.count)::bigint AS count, max(b.latency_us_max) AS latency_us_max
        FROM stream.latency_bin AS b
        JOIN stream.page AS p USING (page_id)
        CROSS JOIN LATERAL unnest(b.bins, b.counts) AS part (bin, count)
        WHERE p.site = s.site AND b.bucket_start > s.last_bucket_start - interval '30 seconds'
          AND b.bucket_start <= s.last_bucket_start
        GROUP BY part.bin
    ) AS bin
) AS l;
COMMENT ON VIEW report.live_total IS 'Everything counted so far, by site, as of this moment; beside it the visitors of the last 30 minutes and the latencies of the last 30 seconds up to the site''s newest bucket.';
COMMENT ON COLUMN report.live_total.visitors IS 'Distinct visitors of the 30 minutes up to the newest bucket; null when unknown, or when two keys meet in them.';
COMMENT ON COLUMN report.live_total.visitors_bound IS 'Half width of the 95 % interval around visitors; 0 = exact.';
COMMENT ON COLUMN report.live_total.p50_ms IS 'Median latency of the 30 seconds up to the end of the newest bucket, in milliseconds, within 1 %; null when none was measured.';
COMMENT ON COLUMN report.live_total.p95_ms IS '95th percentile of the same latencies, in milliseconds, within 1 %.';
COMMENT ON COLUMN report.live_total.p99_ms IS '99th percentile of the same latencies, in milliseconds, within 1 %.';

CREATE OR REPLACE VIEW report.live_page AS
SELECT t.site, t.path, t.hits, t.bytes_sent, t.client_errors, t.server_errors, t.mean_latency_ms, t.window_start,
       t.window_end, report.latency_percentile_ms(l.bins, l.counts, 0.95, l.latency_us_max) AS p95_ms
FROM (
    SELECT s.site, p.path, b.page_id, sum(b.hits)::bigint AS hits, sum(b.bytes_sent)::bigint AS bytes_sent,
           coalesce(sum(b.hits) FILTER (WHERE b.status_class = 4), 0)::bigint AS client_errors,
           coalesce(sum(b.hits) FILTER (WHERE b.status_class = 5), 0)::bigint AS server_errors,
           report.mean_latency_ms(sum(b.latency_us_sum), sum(b.latency_count)) AS mean_latency_ms,
           s.last_bucket_start - interval '290 seconds' AS window_start,
           s.last_bucket_start + interval '10 seconds' AS window_end
    FROM report.site AS s
    JOIN stream.traffic_bucket AS b
        ON b.bucket_start > s.last_bucket_start - interval '5 minutes' AND b.bucket_start <= s.last_bucket_start
    JOIN stream.page AS p ON p.page_id = b.page_id AND p.site = s.site
    GROUP BY s.site, p.path, b.page_id, s.last_bucket_start
) AS t
LEFT JOIN LATERAL (
    SELECT array_agg(bin.bin ORDER BY bin.bin) AS bins, array_agg(bin.count ORDER BY bin.bin) AS counts,
           max(bin.latency_us_max) AS latency_us_max
    FROM (
        SELECT part.bin, sum(part.count)::bigint AS count, max(b.latency_us_max) AS latency_us_max
        FROM generate_series(t.window_start, t.window_end - interval '10 seconds', interval '10 seconds') AS bucket (start)
        JOIN stream.latency_bin AS b ON b.bucket_start = bucket.start AND b.page_id = t.page_id
        CROSS JOIN LATERAL unnest(b.bins, b.counts) AS part (bin, count)
        GROUP BY part.bin
    ) AS bin
) AS l ON true;
COMMENT ON COLUMN report.live_page.p95_ms IS '95th percentile of latency in milliseconds, within 1 %; null when none was measured.';

CREATE VIEW report.live_status AS
SELECT s.site, b.status_class, sum(b.hits)::bigint AS hits, sum(b.bytes_sent)::bigint AS bytes_sent,
       report.mean_latency_ms(sum(b.latency_us_sum), sum(b.latency_count)) AS mean_latency_ms,
       s.last_bucket_start - interval '290 seconds' AS window_start,
       s.last_bucket_start + interval '10 seconds' AS window_end
FROM report.site AS s
JOIN stream.traffic_bucket AS b
    ON b.bucket_start > s.last_bucket_start - interval '5 minutes' AND b.bucket_start <= s.last_bucket_start
JOIN stream.page AS p ON p.page_id = b.page_id AND p.site = s.site
GROUP BY s.site, b.status_class, s.last_bucket_start;
COMMENT ON VIEW report.live_status IS 'Status classes of each site''s last 5 minutes, counted back from its newest bucket: compare window_end with now().';

CREATE VIEW report.live_agent AS
SELECT s.site, b.agent_class, sum(b.hits)::bigint AS hits, sum(b.bytes_sent)::bigint AS bytes_sent,
       coalesce(sum(b.hits) FILTER (WHERE b.status_class = 4), 0)::bigint AS client_errors,
       coalesce(sum(b.hits) FILTER (WHERE b.status_class = 5), 0)::bigint AS server_errors,
       report.mean_latency_ms(sum(b.latency_us_sum), sum(b.latency_count)) AS mean_latency_ms,
       s.last_bucket_start - interval '290 seconds' AS window_start,
       s.last_bucket_start + interval '10 seconds' AS window_end
FROM report.site AS s
JOIN stream.traffic_bucket AS b
    ON b.bucket_start > s.last_bucket_start - interval '5 minutes' AND b.bucket_start <= s.last_bucket_start
JOIN stream.page AS p ON p.page_id = b.page_id AND p.site = s.site
GROUP BY s.site, b.agent_class, s.last_bucket_start;
COMMENT ON VIEW report.live_agent IS 'Agent classes of each site''s last 5 minutes, counted back from its newest bucket: compare window_end with now().';

CALL report.comment_columns();

GRANT SELECT ON report.live_total, report.live_page, report.live_status, report.live_agent
    TO footfall_reporter, footfall_reader;

RESET ROLE;
