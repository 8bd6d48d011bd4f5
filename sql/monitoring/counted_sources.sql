-- How much of each source has been counted or rejected by the ledger, up to a line asked for.
-- Grain: a source asked for, also one the stream has not met yet. A rerun reads again.
-- Parameters: sources (text array), lines (bigint array, beside it).
--   complete  every line 1..lines is in the ledger
--   reached   line `lines` or a later one is: with the order kept inside a source, nothing before it is on its way
SELECT asked.source, asked.lines,
       coalesce(upper(counted) - 1, 0) AS highest_line,
       coalesce(counted @> int8range(1, asked.lines, '[]'), false) AS complete,
       coalesce(upper(counted) > asked.lines, false) AS reached
FROM unnest(%(sources)s::text[], %(lines)s::bigint[]) AS asked (source, lines)
LEFT JOIN stream.source_range ON source_range.source = asked.source
ORDER BY asked.source
