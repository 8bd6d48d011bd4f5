-- In the batch's tables, what has no row of its own becomes (other). Grain: that of each table.
-- Parameters: none (reads new_value). A rerun changes nothing.
UPDATE pg_temp.traffic_delta AS delta SET path = '(other)'
FROM pg_temp.new_value AS beyond
WHERE beyond.dimension = 'page' AND (beyond.site, beyond.value) = (delta.site, delta.path)
  AND beyond.day_start = date_trunc('day', to_timestamp(delta.bucket_start), 'UTC');
UPDATE pg_temp.latency_delta AS delta SET path = '(other)'
FROM pg_temp.new_value AS beyond
WHERE beyond.dimension = 'page' AND (beyond.site, beyond.value) = (delta.site, delta.path)
  AND beyond.day_start = date_trunc('day', to_timestamp(delta.bucket_start), 'UTC');
UPDATE pg_temp.dimension_delta AS delta SET value = '(other)'
FROM pg_temp.new_value AS beyond
WHERE (beyond.dimension, beyond.site, beyond.value) = (delta.dimension, delta.site, delta.value)
  AND beyond.day_start = date_trunc('day', to_timestamp(delta.hour_start), 'UTC')
