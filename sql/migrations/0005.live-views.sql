-- depends: 0004.quality-tables
-- Live numbers, straight from the buckets. They run with the owner's rights: a reader sees these sums, not stream.*.
-- All of them follow the time in the log lines, not the clock: an imported old log has its own last minutes,
-- and every view says which ones, so that nobody takes them for now.

SET LOCAL ROLE footfall_owner;

CREATE VIEW report.site AS
SELECT s.site, s.first_hour_start, s.last_hour_start, newest.bucket_start AS last_bucket_start
FROM (
    SELECT site, min(hour_start) AS first_hour_start, max(hour_start) AS last_hour_start
    FROM stream.touched_hour
    GROUP BY site
) AS s
CROSS JOIN LATERAL (
    SELECT b.bucket_start
    FROM stream.traffic_bucket AS b
    JOIN stream.page AS p USING (page_id)
    WHERE p.site = s.site AND b.bucket_start >= s.last_hour_start
      AND b.bucket_start < s.last_hour_start + interval '1 hour'
    ORDER BY b.bucket_start DESC
    LIMIT 1
) AS newest;
COMMENT ON VIEW report.site IS 'Each site with traffic, and how far its log lines reach.';
COMMENT ON COLUMN report.site.site IS 'Which site.';
COMMENT ON COLUMN report.site.first_hour_start IS 'Start of the first UTC hour with traffic.';
COMMENT ON COLUMN report.site.last_hour_start IS 'Start of the last UTC hour with traffic.';
COMMENT ON COLUMN report.site.last_bucket_start IS 'Start of the newest 10 s bucket.';

-- A reported hour that nobody has added to since is its report (quality seals that this is so); only the
-- other hours are summed from buckets. So the view stays fast when years of traffic are stored.
CREATE VIEW report.live_total AS
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
)
SELECT site, sum(hits)::bigint AS hits, sum(bytes_sent)::bigint AS bytes_sent,
       coalesce(sum(client_errors), 0)::bigint AS client_errors,
       coalesce(sum(server_errors), 0)::bigint AS server_errors,
       report.mean_latency_ms(sum(latency_us_sum), sum(latency_count)) AS mean_latency_ms,
       min(s.first_hour_start) AS first_hour_start, max(s.last_bucket_start) AS last_bucket_start,
       extract(epoch FROM now() - max(s.last_bucket_start))::double precision AS last_bucket_age_seconds
FROM (TABLE clean UNION ALL TABLE fresh) AS hour
JOIN report.site AS s USING (site)
GROUP BY site;
COMMENT ON VIEW report.live_total IS 'Everything counted so far, by site, as of this moment.';
COMMENT ON COLUMN report.live_total.site IS 'Which site.';
COMMENT ON COLUMN report.live_total.hits IS 'Number of lines.';
COMMENT ON COLUMN report.live_total.bytes_sent IS 'Bytes sent.';
COMMENT ON COLUMN report.live_total.client_errors IS 'Answers with status 4xx.';
COMMENT ON COLUMN report.live_total.server_errors IS 'Answers with status 5xx.';
COMMENT ON COLUMN report.live_total.mean_latency_ms IS 'Mean latency in milliseconds over the lines that have one; null when none has.';
COMMENT ON COLUMN report.live_total.first_hour_start IS 'Start of the first UTC hour with traffic.';
COMMENT ON COLUMN report.live_total.last_bucket_start IS 'Start of the newest 10 s bucket.';
COMMENT ON COLUMN report.live_total.last_bucket_age_seconds IS 'How far that is behind the clock, in seconds: large for an imported old log.';

-- The windows of Spark's window(ts, '30 seconds', '10 seconds') that hold at least one line. Windows are listed
-- from the hours that have traffic (one that starts up to 20 s before such an hour reaches into it) and then
-- summed one by one through the index: a filter on window_start, or ORDER BY window_start DESC LIMIT n, is
-- fast however long the history is.
CREATE VIEW report.live_window AS
SELECT w.site, w.window_start, w.window_start + interval '30 seconds' AS window_end, s.hits, s.bytes_sent,
       s.client_errors, s.server_errors, report.mean_latency_ms(s.latency_us_sum, s.latency_count) AS mean_latency_ms
FROM (
    SELECT DISTINCT t.site, t.hour_start + make_interval(secs => 10 * step) AS window_start
    FROM stream.touched_hour AS t
    CROSS JOIN generate_series(-2, 359) AS step
    ORDER BY window_start DESC, site
) AS w
CROSS JOIN LATERAL (
    SELECT sum(b.hits)::bigint AS hits, sum(b.bytes_sent)::bigint AS bytes_sent,
           coalesce(sum(b.hits) FILTER (WHERE b.status_class = 4), 0)::bigint AS client_errors,
           coalesce(sum(b.hits) FILTER (WHERE b.status_class = 5), 0)::bigint AS server_errors,
           sum(b.latency_us_sum) AS latency_us_sum, sum(b.latency_count) AS latency_count
    FROM stream.traffic_bucket AS b
    JOIN stream.page AS p USING (page_id)
    WHERE b.bucket_start >= w.window_start AND b.bucket_start < w.window_start + interval '30 seconds'
      AND p.site = w.site
) AS s
WHERE s.hits > 0;
COMMENT ON VIEW report.live_window IS 'Sliding windows of 30 s, one every 10 s, by site: exact sums of three 10 s buckets. Filter by window_start.';
COMMENT ON COLUMN report.live_window.site IS 'Which site.';
COMMENT ON COLUMN report.live_window.window_start IS 'Start of the window [start, start + 30 s), by the time in the log line.';
COMMENT ON COLUMN report.live_window.window_end IS 'End of the window, exclusive.';
COMMENT ON COLUMN report.live_window.hits IS 'Number of lines.';
COMMENT ON COLUMN report.live_window.bytes_sent IS 'Bytes sent.';
COMMENT ON COLUMN report.live_window.client_errors IS 'Answers with status 4xx.';
COMMENT ON COLUMN report.live_window.server_errors IS 'Answers with status 5xx.';
COMMENT ON COLUMN report.live_window.mean_latency_ms IS 'Mean latency in milliseconds over the lines that have one; null when none has.';

CREATE VIEW report.live_page AS
SELECT s.site, p.path, sum(b.hits)::bigint AS hits, sum(b.bytes_sent)::bigint AS bytes_sent,
       coalesce(sum(b.hits) FILTER (WHERE b.status_class = 4), 0)::bigint AS client_errors,
       coalesce(sum(b.hits) FILTER (WHERE b.status_class = 5), 0)::bigint AS server_errors,
       report.mean_latency_ms(sum(b.latency_us_sum), sum(b.latency_count)) AS mean_latency_ms,
       s.last_bucket_start - interval '290 seconds' AS window_start,
       s.last_bucket_start + interval '10 seconds' AS window_end
FROM report.site AS s
JOIN stream.traffic_bucket AS b
    ON b.bucket_start > s.last_bucket_start - interval '5 minutes' AND b.bucket_start <= s.last_bucket_start
JOIN stream.page AS p ON p.page_id = b.page_id AND p.site = s.site
GROUP BY s.site, p.path, s.last_bucket_start;
COMMENT ON VIEW report.live_page IS 'Pages of each site''s last 5 minutes, counted back from its newest bucket: compare window_end with now(). ORDER BY hits DESC for the hot ones.';
COMMENT ON COLUMN report.live_page.site IS 'Which site.';
COMMENT ON COLUMN report.live_page.path IS 'Canonical path, without query string.';
COMMENT ON COLUMN report.live_page.hits IS 'Number of lines.';
COMMENT ON COLUMN report.live_page.bytes_sent IS 'Bytes sent.';
COMMENT ON COLUMN report.live_page.client_errors IS 'Answers with status 4xx.';
COMMENT ON COLUMN report.live_page.server_errors IS 'Answers with status 5xx.';
COMMENT ON COLUMN report.live_page.mean_latency_ms IS 'Mean latency in milliseconds over the lines that have one; null when none has.';
COMMENT ON COLUMN report.live_page.window_start IS 'Start of the 5 minutes.';
COMMENT ON COLUMN report.live_page.window_end IS 'End of the 5 minutes, exclusive: the end of the site''s newest bucket.';

CREATE VIEW report.live_country AS
SELECT s.site, b.country, sum(b.hits)::bigint AS hits, sum(b.bytes_sent)::bigint AS bytes_sent,
       coalesce(sum(b.hits) FILTER (WHERE b.status_class = 4), 0)::bigint AS client_errors,
       coalesce(sum(b.hits) FILTER (WHERE b.status_class = 5), 0)::bigint AS server_errors,
       report.mean_latency_ms(sum(b.latency_us_sum), sum(b.latency_count)) AS mean_latency_ms,
       s.last_bucket_start - interval '290 seconds' AS window_start,
       s.last_bucket_start + interval '10 seconds' AS window_end
FROM report.site AS s
JOIN stream.traffic_bucket AS b
    ON b.bucket_start > s.last_bucket_start - interval '5 minutes' AND b.bucket_start <= s.last_bucket_start
JOIN stream.page AS p ON p.page_id = b.page_id AND p.site = s.site
GROUP BY s.site, b.country, s.last_bucket_start;
COMMENT ON VIEW report.live_country IS 'Countries of each site''s last 5 minutes, counted back from its newest bucket: compare window_end with now().';
COMMENT ON COLUMN report.live_country.site IS 'Which site.';
COMMENT ON COLUMN report.live_country.country IS 'ISO 3166 alpha-2 country where the address is registered, empty when unknown.';
COMMENT ON COLUMN report.live_country.hits IS 'Number of lines.';
COMMENT ON COLUMN report.live_country.bytes_sent IS 'Bytes sent.';
COMMENT ON COLUMN report.live_country.client_errors IS 'Answers with status 4xx.';
COMMENT ON COLUMN report.live_country.server_errors IS 'Answers with status 5xx.';
COMMENT ON COLUMN report.live_country.mean_latency_ms IS 'Mean latency in milliseconds over the lines that have one; null when none has.';
COMMENT ON COLUMN report.live_country.window_start IS 'Start of the 5 minutes.';
COMMENT ON COLUMN report.live_country.window_end IS 'End of the 5 minutes, exclusive: the end of the site''s newest bucket.';

GRANT SELECT ON report.site, report.live_total, report.live_window, report.live_page, report.live_country
    TO footfall_reporter, footfall_reader;

RESET ROLE;
