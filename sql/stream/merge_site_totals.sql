-- Adds the batch's cells to the totals of each site's buckets. Grain: a site and bucket. Parameters: none (reads
-- traffic_delta). A rerun would add again, as stream/merge_traffic would: both run once, in the batch's transaction.
INSERT INTO stream.site_bucket AS known
    (site, bucket_start, hits, bytes_sent, client_errors, server_errors, latency_us_sum, latency_count)
SELECT delta.site, to_timestamp(delta.bucket_start), sum(delta.hits), sum(delta.bytes_sent),
       coalesce(sum(delta.hits) FILTER (WHERE delta.status_class = 4), 0),
       coalesce(sum(delta.hits) FILTER (WHERE delta.status_class = 5), 0),
       sum(delta.latency_us_sum), sum(delta.latency_count)
FROM pg_temp.traffic_delta AS delta
GROUP BY delta.site, delta.bucket_start
ON CONFLICT (site, bucket_start) DO UPDATE
SET hits = known.hits + excluded.hits,
    bytes_sent = known.bytes_sent + excluded.bytes_sent,
    client_errors = known.client_errors + excluded.client_errors,
    server_errors = known.server_errors + excluded.server_errors,
    latency_us_sum = known.latency_us_sum + excluded.latency_us_sum,
    latency_count = known.latency_count + excluded.latency_count
