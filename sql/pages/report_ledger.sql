-- What became of all records of the batches that read where a site's hour stands in Kafka. Grain: a partition.
-- Parameters: site, from_time (the hour). Reads only.
SELECT kafka_partition, min(from_offset) AS from_offset, max(until_offset) AS until_offset, count(*) AS spans,
       sum(batches)::bigint AS batches, sum(consumed)::bigint AS consumed, sum(accepted)::bigint AS accepted,
       sum(rejected)::bigint AS rejected, sum(duplicate)::bigint AS duplicate, min(topic) AS topic,
       count(DISTINCT topic_id) AS incarnations
FROM report.evidence(%(site)s, %(from_time)s::timestamptz)
GROUP BY kafka_partition
ORDER BY kafka_partition
