-- The stored sketches that a batch adds to. Grain: site, minute, key and agent class.
-- Parameters: sites, minute_starts (epoch seconds), key_ids, agent_classes (arrays of the same length). Reads only.
SELECT known.site, extract(epoch FROM known.minute_start)::bigint AS minute_start, known.key_id,
       known.agent_class, known.sketch
FROM unnest(%(sites)s::text[], %(minute_starts)s::bigint[], %(key_ids)s::text[], %(agent_classes)s::text[])
     AS batch (site, minute_start, key_id, agent_class)
CROSS JOIN LATERAL (
    SELECT stored.* FROM stream.visitor_sketch AS stored
    WHERE stored.site = batch.site AND stored.minute_start = to_timestamp(batch.minute_start)
      AND stored.key_id = batch.key_id AND stored.agent_class = batch.agent_class
    OFFSET 0
) AS known
