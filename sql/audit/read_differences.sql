-- Figures that differ, the first so many. Grain: a figure. Parameters: audit_id, most. Reads only.
SELECT report, site, hour_start, key, figure, reported, recomputed
FROM quality.audit_difference
WHERE audit_id = %(audit_id)s
ORDER BY site, hour_start, report, key, figure
LIMIT %(most)s
