-- What one expectation found for one hour revision. Append-only: a run writes each once.
-- Parameters: run_id, site, hour_start, revision, suite, expectation, severity, passed, observed, threshold,
-- failing_rows (how many rows failed).
INSERT INTO quality.result (run_id, site, hour_start, revision, suite, expectation, severity, passed, observed,
                            threshold, failing_rows)
VALUES (%(run_id)s, %(site)s, %(hour_start)s, %(revision)s, %(suite)s, %(expectation)s, %(severity)s, %(passed)s,
        %(observed)s, %(threshold)s, %(failing_rows)s)
