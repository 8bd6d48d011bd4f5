-- Puts sketches in place of those stored. Grain: site, minute, key and agent class. A rerun changes nothing.
-- Parameters: sites, minute_starts (epoch seconds), key_ids, agent_classes, sketches (arrays of the same length).
INSERT INTO stream.visitor_sketch (site, minute_start, key_id, agent_class, sketch)
SELECT batch.site, to_timestamp(batch.minute_start), batch.key_id, batch.agent_class, batch.sketch
FROM unnest(%(sites)s::text[], %(minute_starts)s::bigint[], %(key_ids)s::text[], %(agent_classes)s::text[],
            %(sketches)s::bytea[])
     AS batch (site, minute_start, key_id, agent_class, sketch)
ON CONFLICT (site, minute_start, key_id, agent_class) DO UPDATE SET sketch = excluded.sketch
