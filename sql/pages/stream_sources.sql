-- Sources, those with gaps first, then the newest. Grain: a source. Parameters: most (rows). Reads only.
SELECT source, site, lines_counted, last_line, lines_missing, last_seen_at, count(*) OVER () AS sources,
       count(*) FILTER (WHERE lines_missing > 0) OVER () AS sources_with_gaps
FROM report.source
ORDER BY (lines_missing > 0) DESC, last_seen_at DESC, source
LIMIT %(most)s::integer
