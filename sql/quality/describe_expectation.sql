-- What an expectation demands, as the newest run knew it. Parameters: suite, expectation, severity, description,
-- threshold, owner, lowest, highest (null: no such limit), rule. A rerun replaces the words when they changed.
INSERT INTO quality.expectation AS known (suite, expectation, severity, description, threshold, owner, lowest, highest, rule)
VALUES (%(suite)s, %(expectation)s, %(severity)s, %(description)s, %(threshold)s, %(owner)s, %(lowest)s, %(highest)s,
        %(rule)s)
ON CONFLICT (suite, expectation) DO UPDATE
SET severity = excluded.severity, description = excluded.description, threshold = excluded.threshold,
    owner = excluded.owner, lowest = excluded.lowest, highest = excluded.highest, rule = excluded.rule
WHERE known IS DISTINCT FROM excluded
