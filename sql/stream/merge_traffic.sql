-- Adds the batch's cells to the buckets. Grain: a cell. Parameters: none (reads traffic_delta).
-- A rerun would add again: only the position's compare-and-set in the same transaction makes it exactly once.
-- Summed first: several pages may have become (other).
INSERT INTO stream.traffic_bucket AS known
    (bucket_start, page_id, country, status_class, agent_class, hits, bytes_sent, latency_us_sum,
     latency_count)
SELECT to_timestamp(delta.bucket_start), page.page_id, delta.country, delta.status_class, delta.agent_class,
       sum(delta.hits), sum(delta.bytes_sent), sum(delta.latency_us_sum), sum(delta.latency_count)
FROM pg_temp.traffic_delta AS delta
JOIN stream.page AS page ON page.site = delta.site AND page.path = delta.path
GROUP BY delta.bucket_start, page.page_id, delta.country, delta.status_class, delta.agent_class
ON CONFLICT (bucket_start, page_id, country, status_class, agent_class) DO UPDATE
SET hits = known.hits + excluded.hits,
    bytes_sent = known.bytes_sent + excluded.bytes_sent,
    latency_us_sum = known.latency_us_sum + excluded.latency_us_sum,
    latency_count = known.latency_count + excluded.latency_count
