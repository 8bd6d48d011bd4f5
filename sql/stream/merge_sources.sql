-- Adds the batch's line numbers to their sources. Grain: a source.
-- Parameters: sources, sites, seqs (arrays of the same length; seqs as multirange text).
-- Touches fewer rows than sources given when a line has been counted before: the caller then rolls back.
INSERT INTO stream.source_range AS known (source, site, counted)
SELECT batch.source, batch.site, batch.seqs::int8multirange
FROM unnest(%(sources)s::text[], %(sites)s::text[], %(seqs)s::text[]) AS batch (source, site, seqs)
ORDER BY batch.source
ON CONFLICT (source) DO UPDATE
SET counted = known.counted + excluded.counted, last_seen_at = now()
WHERE NOT known.counted && excluded.counted
