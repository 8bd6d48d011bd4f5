-- Deletes visits that became part of another one. Grain: a visit. A rerun deletes nothing more.
-- Parameters: sites, key_ids, visitors, starts_us (epoch microseconds; arrays of the same length).
DELETE FROM stream.visit AS stored
USING unnest(%(sites)s::text[], %(key_ids)s::text[], %(visitors)s::bigint[], %(starts_us)s::bigint[])
      AS gone (site, key_id, visitor, started_us)
WHERE stored.site = gone.site AND stored.key_id = gone.key_id AND stored.visitor = gone.visitor
  AND stored.started_at = timestamptz 'epoch' + gone.started_us * interval '1 microsecond'
