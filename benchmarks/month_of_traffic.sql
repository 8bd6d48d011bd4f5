-- What thirty days of a site with 200 pages and 20 countries leave in the stream's tables: about 2,000 lines a second.
-- Grain: as each table's. Parameters: site, start, end_ (half-open range of whole hours), detail_hour (the one hour that
-- has its 10 s buckets; of the others the sums stand in the hour's first bucket, as the retention leaves them).
-- Run once into a database without that site: a rerun fails at the first key.
CREATE TEMPORARY TABLE hour AS
SELECT hour_start, extract(epoch FROM hour_start)::bigint / 3600 AS n
FROM generate_series(%(start)s::timestamptz, %(end_)s::timestamptz - interval '1 hour', '1 hour') AS hour_start;

INSERT INTO stream.page (site, path)
SELECT %(site)s, '/products/page-' || lpad(p::text, 3, '0') FROM generate_series(1, 200) AS p;

CREATE TEMPORARY TABLE cell AS
SELECT page_id, country, p.n AS page_n, c.n AS country_n
FROM (SELECT page_id, row_number() OVER (ORDER BY path) AS n FROM stream.page WHERE site = %(site)s) AS p
CROSS JOIN unnest(ARRAY['DE','US','FR','GB','NL','AT','CH','IT','ES','PL','SE','DK','NO','FI','CZ','JP','IN','BR','CA','AU'])
    WITH ORDINALITY AS c (country, n);

INSERT INTO stream.traffic_bucket
    (bucket_start, page_id, country, status_class, agent_class, hits, bytes_sent, latency_us_sum, latency_count)
SELECT at, page_id, country, status_class, agent_class, hits, hits * 32000, hits * 71000, hits
FROM (
    SELECT coalesce(b.bucket_start, h.hour_start) AS at, c.page_id, c.country,
           CASE k.k %% 29 WHEN 0 THEN 5 WHEN 1 THEN 4 WHEN 2 THEN 3 ELSE 2 END AS status_class,
           CASE k.k %% 7 WHEN 0 THEN 'bot' WHEN 1 THEN 'tool' ELSE 'human' END AS agent_class,
           CASE WHEN b.bucket_start IS NULL THEN 360 ELSE 1 END * (1 + k.k %% 9) AS hits
    FROM hour AS h
    LEFT JOIN LATERAL generate_series(h.hour_start, h.hour_start + interval '3590 seconds', '10 seconds') AS b (bucket_start)
        ON h.hour_start = %(detail_hour)s::timestamptz
    CROSS JOIN cell AS c
    CROSS JOIN LATERAL (SELECT h.n * 31 + c.page_n * 17 + c.country_n * 13) AS k (k)
) AS line;

INSERT INTO stream.site_bucket
    (site, bucket_start, hits, bytes_sent, client_errors, server_errors, latency_us_sum, latency_count)
SELECT %(site)s, at, 20000, 640000000, 690, 690, 1420000000, 20000
FROM generate_series(%(start)s::timestamptz, %(end_)s::timestamptz - interval '10 seconds', '10 seconds') AS at;

INSERT INTO stream.latency_bin (bucket_start, page_id, bins, counts, latency_us_max)
SELECT h.hour_start, p.page_id, bins.bins, bins.counts, 29500000
FROM hour AS h
CROSS JOIN (SELECT DISTINCT page_id, page_n FROM cell) AS p
CROSS JOIN LATERAL (
    SELECT array_agg((400 + (p.page_n %% 40) + b)::smallint ORDER BY b) AS bins,
           array_agg(1 + (h.n * b + p.page_n) %% 700 ORDER BY b) AS counts
    FROM generate_series(1, 60) AS b
) AS bins;

INSERT INTO stream.dimension_hour (site, hour_start, dimension, value, hits, bytes_sent, client_errors, server_errors)
SELECT %(site)s, h.hour_start, d.dimension, d.dimension || ' ' || lpad(v::text, 3, '0'), hits.hits, hits.hits * 32000,
       hits.hits / 29, hits.hits / 29
FROM hour AS h
CROSS JOIN (VALUES ('agent_rule', 30), ('browser', 20), ('os', 12), ('device', 8), ('referrer_class', 5),
                   ('referrer', 60), ('method', 5), ('protocol', 3), ('host', 3), ('status', 15)) AS d (dimension, n)
CROSS JOIN LATERAL generate_series(1, d.n) AS v
CROSS JOIN LATERAL (SELECT 1000 + (h.n * 7 + v * 11) %% 900) AS hits (hits);

INSERT INTO stream.progress (slot_start, batch_seconds, lag_records, delay_seconds)
SELECT at, ARRAY[0.8, 0.7, 0.9, 0.8, 0.8, 0.7, 0.9, 0.8, 1.1], 2000, 1.6
FROM generate_series(%(start)s::timestamptz, %(end_)s::timestamptz - interval '10 seconds', '10 seconds') AS at;

INSERT INTO stream.touched_hour (site, hour_start, last_ledger_id)
SELECT %(site)s, hour_start, (SELECT coalesce(max(ledger_id), 0) FROM stream.ledger) FROM hour
