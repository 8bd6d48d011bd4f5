-- What the driver keeps of the last hours: sums by 10 s of each site, of each page's hits and each country's hits.
-- Grain: a site and label, its buckets as arrays. Parameters: since (timestamptz). A rerun reads again.
WITH cell AS (
    SELECT p.site, p.path, b.country, grouping(p.path, b.country) AS sums,
           extract(epoch FROM b.bucket_start)::bigint / 10 AS bucket, sum(b.hits)::bigint AS hits,
           sum(b.bytes_sent)::bigint AS bytes_sent,
           coalesce(sum(b.hits) FILTER (WHERE b.status_class = 4), 0)::bigint AS client_errors,
           coalesce(sum(b.hits) FILTER (WHERE b.status_class = 5), 0)::bigint AS server_errors,
           sum(b.latency_us_sum)::bigint AS latency_us_sum, sum(b.latency_count)::bigint AS latency_count
    FROM stream.traffic_bucket AS b
    JOIN stream.page AS p USING (page_id)
    WHERE b.bucket_start >= %(since)s
    GROUP BY GROUPING SETS ((p.site, b.bucket_start), (p.site, b.bucket_start, p.path),
                            (p.site, b.bucket_start, b.country))
)
SELECT site, 'total' AS dimension, '' AS label, array_agg(bucket) AS buckets, array_agg(hits) AS hits,
       array_agg(bytes_sent) AS bytes_sent, array_agg(client_errors) AS client_errors,
       array_agg(server_errors) AS server_errors, array_agg(latency_us_sum) AS latency_us_sum,
       array_agg(latency_count) AS latency_count
FROM cell
WHERE sums = 3
GROUP BY site
UNION ALL
SELECT site, 'page', path, array_agg(bucket), array_agg(hits), NULL, NULL, NULL, NULL, NULL
FROM cell
WHERE sums = 1
GROUP BY site, path
UNION ALL
SELECT site, 'country', country, array_agg(bucket), array_agg(hits), NULL, NULL, NULL, NULL, NULL
FROM cell
WHERE sums = 2
GROUP BY site, country
