-- Rejected lines of one source, as far as their samples are kept. Grain: line.
-- Parameters: source, most (number of rows). Reads only.
SELECT seq, reason
FROM report.rejected_line
WHERE source = %(source)s
ORDER BY seq
LIMIT %(most)s
