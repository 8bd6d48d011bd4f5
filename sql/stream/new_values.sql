-- Values in the batch that have no row of their own on their day yet. Grain: site, day, dimension and value.
-- Parameters: none (reads traffic_delta and dimension_delta, fills new_value).
-- Rules of agents are few by themselves; the values named here never need a row of their own.
-- OFFSET 0 has each value looked up by its key: joined, the whole of own_row might be read.
INSERT INTO pg_temp.new_value (site, day_start, dimension, value, hits, answered)
SELECT met.*
FROM (
    SELECT site, date_trunc('day', to_timestamp(bucket_start), 'UTC') AS day_start, 'page' AS dimension,
           path AS value, sum(hits), bool_or(status_class <> 4)
    FROM pg_temp.traffic_delta
    GROUP BY 1, 2, 4
    UNION ALL
    SELECT site, date_trunc('day', to_timestamp(hour_start), 'UTC'), dimension, value, sum(hits),
           sum(client_errors) < sum(hits)
    FROM pg_temp.dimension_delta
    WHERE dimension <> 'agent_rule'
    GROUP BY 1, 2, 3, 4
) AS met
WHERE met.value NOT IN ('', '(other)', '(malformed)')
  AND NOT EXISTS (
      SELECT FROM stream.own_row AS own
      WHERE (own.site, own.day_start, own.dimension, own.value)
          = (met.site, met.day_start, met.dimension, met.value)
      OFFSET 0)
