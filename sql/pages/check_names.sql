-- Suites, owners and names of all checks. Grain: a check. Parameters: none. Reads only.
SELECT suite, expectation, severity, owner
FROM quality.expectation
ORDER BY suite, expectation
