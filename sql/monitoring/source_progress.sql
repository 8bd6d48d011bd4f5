-- How many lines of one source are counted. No row while none is. Parameters: source. Reads only.
SELECT source, site, lines_counted, last_line, lines_missing, first_seen_at, last_seen_at
FROM report.source
WHERE source = %(source)s
