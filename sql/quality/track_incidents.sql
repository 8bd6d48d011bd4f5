-- Incidents after a run: one opens for each site and expectation that failed in it and has none open; an open one
-- closes when the run looked at its expectation and no hour failed. What is too early to judge (severity waits) opens
-- none. Grain: an incident. Parameters: run_id. A rerun changes nothing more.
WITH found AS (
    SELECT site, suite, expectation, max(severity) AS severity, bool_or(passed IS FALSE) AS failed
    FROM quality.result
    WHERE run_id = %(run_id)s AND severity <> 'waits' AND passed IS NOT NULL
    GROUP BY site, suite, expectation
), closed AS (
    UPDATE quality.incident AS i
    SET closed_at = clock_timestamp(), closed_run_id = %(run_id)s
    FROM found AS f
    WHERE (i.site, i.suite, i.expectation) = (f.site, f.suite, f.expectation) AND i.closed_at IS NULL
      AND NOT f.failed
)
INSERT INTO quality.incident (site, suite, expectation, severity, opened_at, opened_run_id)
SELECT site, suite, expectation, severity, clock_timestamp(), %(run_id)s
FROM found
WHERE failed
ON CONFLICT (site, suite, expectation) WHERE closed_at IS NULL DO NOTHING
