-- Deletes the sketches of hours' further minutes, once the first one holds their union. Grain: a sketch.
-- Parameters: sites, minute_starts (epoch seconds of the hours; arrays of the same length). A rerun deletes nothing more.
DELETE FROM stream.visitor_sketch AS known
USING unnest(%(sites)s::text[], %(minute_starts)s::bigint[]) AS compacted (site, minute_start)
WHERE known.site = compacted.site
  AND known.minute_start > to_timestamp(compacted.minute_start)
  AND known.minute_start < to_timestamp(compacted.minute_start) + interval '1 hour'
