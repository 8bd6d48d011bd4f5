-- Latest hour revisions without a verdict of the checks, the oldest first. Grain: site and hour.
-- Parameters: as_of (only hours closed by then). Reads only; an hour leaves the list when it is sealed green,
-- amber or red, and stays on it while it is unchecked. What an audit says of it does not matter here.
SELECT h.site, h.hour_start, h.revision
FROM report.hour_checked AS h
LEFT JOIN quality.hour_seal AS s USING (site, hour_start, revision)
WHERE coalesce(s.seal, 'unchecked') = 'unchecked' AND report.hour_closes_at(h.hour_start) <= %(as_of)s
ORDER BY h.hour_start, h.site
