-- Sources of a site, those with gaps first. Grain: a source. Parameters: site, most (rows). Reads only.
SELECT source, lines_counted, last_line, lines_missing, last_seen_at, count(*) OVER () AS sources,
       sum(lines_counted) OVER ()::bigint AS lines_all, sum(lines_missing) OVER ()::bigint AS missing_all
FROM report.source
WHERE site = %(site)s
ORDER BY (lines_missing > 0) DESC, last_seen_at DESC, source
LIMIT %(most)s::integer
