-- Those of the given line numbers' sources of which some line has been counted before.
-- Grain: a source. Parameters: sources, seqs (arrays of the same length; seqs as multirange text).
SELECT known.source,
       ARRAY(SELECT ARRAY[lower(r), upper(r) - 1] FROM unnest(known.counted) AS r) AS ranges
FROM unnest(%(sources)s::text[], %(seqs)s::text[]) AS batch (source, seqs)
JOIN stream.source_range AS known ON known.source = batch.source
WHERE known.counted && batch.seqs::int8multirange
