-- Latest hour revisions without a verdict, the oldest first. Grain: site and hour.
-- Parameters: as_of (only hours closed by then). Reads only; an hour leaves the list when it is sealed green,
-- amber or red, and stays on it while it is unchecked.
SELECT site, hour_start, revision
FROM quality.current_seal
WHERE seal = 'unchecked' AND report.hour_closes_at(hour_start) <= %(as_of)s
ORDER BY hour_start, site
