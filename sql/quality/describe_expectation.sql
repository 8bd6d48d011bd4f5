-- What an expectation demands, for people who read the results. Parameters: suite, expectation, severity,
-- description, threshold, owner. A rerun replaces the description when it changed.
INSERT INTO quality.expectation AS known (suite, expectation, severity, description, threshold, owner)
VALUES (%(suite)s, %(expectation)s, %(severity)s, %(description)s, %(threshold)s, %(owner)s)
ON CONFLICT (suite, expectation) DO UPDATE
SET severity = excluded.severity, description = excluded.description, threshold = excluded.threshold,
    owner = excluded.owner
WHERE known IS DISTINCT FROM excluded
