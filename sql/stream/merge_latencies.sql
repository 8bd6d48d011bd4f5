-- Adds the batch's latencies to the histograms. Grain: 10 s bucket and page. Parameters: none (reads latency_delta).
-- A rerun would add again: only the position's compare-and-set in the same transaction makes it exactly once.
WITH delta AS (
    SELECT to_timestamp(delta.bucket_start) AS bucket_start, page.page_id, delta.bin, delta.lines,
           delta.latency_us_max
    FROM pg_temp.latency_delta AS delta
    JOIN stream.page AS page ON page.site = delta.site AND page.path = delta.path
), known AS (
    SELECT touched.bucket_start, touched.page_id, binned.bin, binned.lines, stored.latency_us_max
    FROM (SELECT DISTINCT bucket_start, page_id FROM delta) AS touched
    CROSS JOIN LATERAL (
        SELECT bin.bins, bin.counts, bin.latency_us_max
        FROM stream.latency_bin AS bin
        WHERE bin.bucket_start = touched.bucket_start AND bin.page_id = touched.page_id
        OFFSET 0
    ) AS stored
    CROSS JOIN LATERAL unnest(stored.bins, stored.counts) AS binned (bin, lines)
), merged AS (
    SELECT bucket_start, page_id, bin, sum(lines)::bigint AS lines, max(latency_us_max) AS latency_us_max
    FROM (TABLE delta UNION ALL TABLE known) AS both_
    GROUP BY bucket_start, page_id, bin
)
INSERT INTO stream.latency_bin (bucket_start, page_id, bins, counts, latency_us_max)
SELECT bucket_start, page_id, array_agg(bin ORDER BY bin), array_agg(lines ORDER BY bin), max(latency_us_max)
FROM merged
GROUP BY bucket_start, page_id
ON CONFLICT (bucket_start, page_id) DO UPDATE
SET bins = excluded.bins, counts = excluded.counts, latency_us_max = excluded.latency_us_max
