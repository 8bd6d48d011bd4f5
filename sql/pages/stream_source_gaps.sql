-- Lines that are not here yet, though later ones of their source are. Grain: a gap. Parameters: most (rows). Reads only.
SELECT source, site, from_line, until_line, lines_missing, last_seen_at
FROM report.source_gap
ORDER BY last_seen_at DESC, source, from_line
LIMIT %(most)s::integer
