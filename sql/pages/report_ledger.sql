-- What became of all records of the batches that read where a site's hour or day stands in Kafka, each batch once; as
-- counted now. Grain: a partition. Parameters: site, from_time, until_time. Reads only.
--   holes   places between those batches after which no batch goes on
SELECT kafka_partition, min(from_offset) AS from_offset, max(until_offset) AS until_offset, sum(spans)::bigint AS spans,
       sum(batches)::bigint AS batches, sum(consumed)::bigint AS consumed, sum(accepted)::bigint AS accepted,
       sum(rejected)::bigint AS rejected, sum(duplicate)::bigint AS duplicate, sum(holes)::bigint AS holes,
       count(*) AS incarnations
FROM report.range_ledger(%(site)s, %(from_time)s::timestamptz, %(until_time)s::timestamptz)
GROUP BY kafka_partition
ORDER BY kafka_partition
