-- Publishes the hours that changed, as their next revisions; returns the revisions made. Grain: site and hour.
-- No parameters. Runs after reports/collect_hours, add_visitors and compare_hours in their transaction.
-- A rerun changes nothing: an hour whose numbers are the same gets no revision, only a newer ledger position.

-- Visitors of all classes together: distinct hashes below the smallest theta, by key.
CREATE TEMPORARY TABLE publishing_visited ON COMMIT DROP AS
WITH sketch AS MATERIALIZED (
    SELECT site, hour_start, v.key_id, v.sketch,
           min(report.theta(v.sketch)) OVER (PARTITION BY site, hour_start, v.key_id) AS theta
    FROM pg_temp.publishing_change AS c
    JOIN pg_temp.publishing_visitor AS v USING (site, hour_start)
), united AS (
    SELECT s.site, s.hour_start, s.key_id, s.theta, count(DISTINCT held.hash) AS hashes
    FROM sketch AS s
    LEFT JOIN LATERAL unnest(report.theta_hashes(s.sketch)) AS held (hash) ON held.hash < s.theta
    GROUP BY s.site, s.hour_start, s.key_id, s.theta
)
SELECT site, hour_start, count(*) AS keys, sum(report.visitor_estimate(hashes, theta))::bigint AS visitors,
       sum(report.visitor_bound(hashes, theta))::bigint AS visitors_bound
FROM united
GROUP BY site, hour_start;

-- Percentiles of each page, and (path empty) of the hour.
CREATE TEMPORARY TABLE publishing_percentile ON COMMIT DROP AS
SELECT site, hour_start, l.path,
       report.latency_percentile_ms(l.bins, l.counts, 0.5, l.latency_us_max) AS p50_ms,
       report.latency_percentile_ms(l.bins, l.counts, 0.9, l.latency_us_max) AS p90_ms,
       report.latency_percentile_ms(l.bins, l.counts, 0.95, l.latency_us_max) AS p95_ms,
       report.latency_percentile_ms(l.bins, l.counts, 0.99, l.latency_us_max) AS p99_ms,
       l.latency_us_max / 1000.0::double precision AS max_ms
FROM pg_temp.publishing_change AS c
JOIN pg_temp.publishing_latency AS l USING (site, hour_start);

-- statement_timestamp() is the same in all statements of this file, and later than the wait for the lock.
INSERT INTO report.hour_revision (site, hour_start, revision, cause, hits_delta, bytes_sent_delta,
    client_errors_delta, server_errors_delta, pages_moved, from_ledger_id, ledger_id, made_at)
SELECT c.site, c.hour_start, c.revision,
       CASE WHEN before.revision IS NULL THEN 'first report'
            WHEN now_.hits > before.hits THEN 'late data'
            WHEN c.only_class THEN 'agent rules'
            ELSE 'corrected data' END,
       now_.hits - coalesce(before.hits, 0),
       now_.bytes_sent - coalesce(before.bytes_sent, 0),
       now_.client_errors - coalesce(before.client_errors, 0),
       now_.server_errors - coalesce(before.server_errors, 0),
       c.pages_moved, c.last_ledger_id,
       (SELECT coalesce(max(ledger_id), 0) FROM stream.ledger), statement_timestamp()
FROM pg_temp.publishing_change AS c
JOIN pg_temp.publishing_row AS now_ ON now_.report = 'traffic' AND (now_.site, now_.hour_start) = (c.site, c.hour_start)
LEFT JOIN report.hourly_traffic AS before
    ON (before.site, before.hour_start, before.revision) = (c.site, c.hour_start, c.revision - 1);

-- Visitors are unknown when lines of visitors have no sketch, and when two keys meet.
INSERT INTO report.hourly_traffic (site, hour_start, revision, hits, bytes_sent, client_errors, server_errors,
    latency_us_sum, latency_count, visitors, visitors_bound, p50_ms, p90_ms, p95_ms, p99_ms, max_ms, ledger_id, made_at)
SELECT site, hour_start, c.revision, r.hits, r.bytes_sent, r.client_errors, r.server_errors,
       r.latency_us_sum, r.latency_count,
       CASE WHEN v.keys = 1 THEN v.visitors WHEN v.keys IS NULL AND r.hits = r.client_errors THEN 0 END,
       CASE WHEN v.keys = 1 THEN v.visitors_bound WHEN v.keys IS NULL AND r.hits = r.client_errors THEN 0 END,
       p.p50_ms, p.p90_ms, p.p95_ms, p.p99_ms, p.max_ms,
       (SELECT coalesce(max(ledger_id), 0) FROM stream.ledger), statement_timestamp()
FROM pg_temp.publishing_change AS c
JOIN pg_temp.publishing_row AS r USING (site, hour_start)
LEFT JOIN pg_temp.publishing_visited AS v USING (site, hour_start)
LEFT JOIN (SELECT * FROM pg_temp.publishing_percentile WHERE path = '') AS p USING (site, hour_start)
WHERE r.report = 'traffic';

-- By minute, unless 10-second totals of the hour are gone.
INSERT INTO report.hourly_minute (site, hour_start, revision, minute_hits)
SELECT site, hour_start, c.revision, m.hits
FROM pg_temp.publishing_change AS c
JOIN pg_temp.publishing_row AS r USING (site, hour_start)
CROSS JOIN LATERAL (
    SELECT array_agg(coalesce(b.hits, 0) ORDER BY minute) AS hits, sum(b.hits) AS hour_hits
    FROM generate_series(0, 59) AS minute
    LEFT JOIN (
        SELECT mod(extract(epoch FROM t.bucket_start)::bigint / 60, 60)::integer AS minute, sum(t.hits)::integer AS hits
        FROM stream.site_bucket AS t
        WHERE t.site = c.site AND t.bucket_start >= c.hour_start AND t.bucket_start < c.hour_start + interval '1 hour'
        GROUP BY 1
    ) AS b USING (minute)
) AS m
WHERE r.report = 'traffic' AND m.hour_hits = r.hits;

INSERT INTO report.hourly_page (site, hour_start, revision, path, hits, bytes_sent, client_errors, server_errors,
    latency_us_sum, latency_count, p50_ms, p90_ms, p95_ms, p99_ms, max_ms)
SELECT site, hour_start, c.revision, path, r.hits, r.bytes_sent, r.client_errors, r.server_errors,
       r.latency_us_sum, r.latency_count, p.p50_ms, p.p90_ms, p.p95_ms, p.p99_ms, p.max_ms
FROM pg_temp.publishing_change AS c
JOIN pg_temp.publishing_row AS r USING (site, hour_start)
LEFT JOIN pg_temp.publishing_percentile AS p USING (site, hour_start, path)
WHERE r.report = 'page'
ORDER BY site, hour_start, path;

INSERT INTO report.hourly_country (site, hour_start, revision, country, hits, bytes_sent, client_errors,
    server_errors, latency_us_sum, latency_count)
SELECT site, hour_start, c.revision, r.country, r.hits, r.bytes_sent, r.client_errors, r.server_errors,
       r.latency_us_sum, r.latency_count
FROM pg_temp.publishing_change AS c
JOIN pg_temp.publishing_row AS r USING (site, hour_start)
WHERE r.report = 'country'
ORDER BY site, hour_start, r.country;

INSERT INTO report.hourly_status (site, hour_start, revision, status_class, hits, bytes_sent, latency_us_sum,
    latency_count)
SELECT site, hour_start, c.revision, r.status_class, r.hits, r.bytes_sent, r.latency_us_sum, r.latency_count
FROM pg_temp.publishing_change AS c
JOIN pg_temp.publishing_row AS r USING (site, hour_start)
WHERE r.report = 'status'
ORDER BY site, hour_start, r.status_class;

INSERT INTO report.hourly_latency (site, hour_start, revision, path, bins, counts, latency_us_max)
SELECT site, hour_start, c.revision, l.path, l.bins, l.counts, l.latency_us_max
FROM pg_temp.publishing_change AS c
JOIN pg_temp.publishing_latency AS l USING (site, hour_start)
ORDER BY site, hour_start, l.path;

INSERT INTO report.hourly_dimension (site, hour_start, revision, dimension, value, agent_class, hits, bytes_sent,
    client_errors, server_errors)
SELECT site, hour_start, c.revision, d.dimension, d.value, d.agent_class, d.hits, d.bytes_sent, d.client_errors,
       d.server_errors
FROM pg_temp.publishing_change AS c
JOIN pg_temp.publishing_dimension AS d USING (site, hour_start)
ORDER BY site, hour_start, d.dimension, d.value;

INSERT INTO report.hourly_visitor (site, hour_start, revision, key_id, agent_class, sketch, hashes, visitors,
    visitors_bound)
SELECT site, hour_start, c.revision, v.key_id, v.agent_class, v.sketch, held.hashes,
       report.visitor_estimate(cardinality(held.hashes), held.theta),
       report.visitor_bound(cardinality(held.hashes), held.theta)
FROM pg_temp.publishing_change AS c
JOIN pg_temp.publishing_visitor AS v USING (site, hour_start)
CROSS JOIN LATERAL (
    SELECT report.theta_hashes(v.sketch) AS hashes, report.theta(v.sketch) AS theta
) AS held;

INSERT INTO report.hour_checked AS known (site, hour_start, revision, ledger_id, checked_at)
SELECT h.site, h.hour_start, coalesce(c.revision, h.last_revision),
       -- New agent rules touch hours with a number of the ledger's sequence that no row has, above all so far.
       greatest((SELECT max(ledger_id) FROM stream.ledger), h.touched_ledger_id), statement_timestamp()
FROM pg_temp.publishing_hour AS h
LEFT JOIN pg_temp.publishing_change AS c USING (site, hour_start)
WHERE coalesce(c.revision, h.last_revision) IS NOT NULL
ON CONFLICT (site, hour_start) DO UPDATE
SET revision = excluded.revision, ledger_id = excluded.ledger_id, checked_at = excluded.checked_at;

SELECT r.site, r.hour_start, r.revision, r.cause, r.hits_delta
FROM pg_temp.publishing_change AS c
JOIN report.hour_revision AS r USING (site, hour_start, revision)
ORDER BY r.hour_start, r.site
