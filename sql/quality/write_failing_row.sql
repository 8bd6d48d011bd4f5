-- One row that made an expectation fail for an hour revision. Append-only: a run writes each once, after its result.
-- Parameters: run_id, site, hour_start, revision, suite, expectation, place (from 1), dimension, key, seen (JSON).
INSERT INTO quality.failing_row (run_id, site, hour_start, revision, suite, expectation, place, dimension, key, seen)
VALUES (%(run_id)s, %(site)s, %(hour_start)s, %(revision)s, %(suite)s, %(expectation)s, %(place)s, %(dimension)s, %(key)s,
        %(seen)s)
