-- depends: 0003.report-tables
-- What Great Expectations found, and the seal of each report revision.

SET LOCAL ROLE footfall_owner;

CREATE TABLE quality.run (
    run_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_label   text NOT NULL CHECK (length(run_label) BETWEEN 1 AND 250),
    status      text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'done', 'broken')),
    hours       integer NOT NULL DEFAULT 0 CHECK (hours >= 0),
    gx_version  text,
    error       text CHECK (length(error) <= 500),
    started_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    CHECK ((status = 'broken') = (error IS NOT NULL)),
    CHECK ((status = 'running') = (finished_at IS NULL))
);
CREATE INDEX ON quality.run (started_at);
COMMENT ON TABLE quality.run IS 'Each run of the checks over the hour revisions that had no seal.';
COMMENT ON COLUMN quality.run.run_id IS 'Number of the run.';
COMMENT ON COLUMN quality.run.run_label IS 'Who asked for it, such as the id of the DAG run.';
COMMENT ON COLUMN quality.run.status IS 'running, done, or broken: a broken run leaves its hours unchecked.';
COMMENT ON COLUMN quality.run.hours IS 'Number of hour revisions it looked at.';
COMMENT ON COLUMN quality.run.gx_version IS 'Version of Great Expectations.';
COMMENT ON COLUMN quality.run.error IS 'Why it broke.';
COMMENT ON COLUMN quality.run.started_at IS 'When it started.';
COMMENT ON COLUMN quality.run.finished_at IS 'When it ended; null while it runs, and for ever when it was killed.';

CREATE TABLE quality.result (
    run_id      bigint NOT NULL REFERENCES quality.run,
    site        text NOT NULL,
    hour_start  timestamptz NOT NULL,
    revision    integer NOT NULL,
    suite       text NOT NULL CHECK (suite IN ('traffic_bucket', 'hourly_report')),
    expectation text NOT NULL,
    severity    text NOT NULL CHECK (severity IN ('critical', 'warning', 'waits')),
    passed      boolean,
    observed    text NOT NULL CHECK (length(observed) <= 200),
    threshold   text NOT NULL CHECK (length(threshold) <= 200),
    PRIMARY KEY (site, hour_start, revision, run_id, suite, expectation),
    FOREIGN KEY (site, hour_start, revision) REFERENCES report.hour_revision
);
COMMENT ON TABLE quality.result IS 'What each expectation found for each hour revision. Append-only.';
COMMENT ON COLUMN quality.result.run_id IS 'Run that checked it.';
COMMENT ON COLUMN quality.result.site IS 'Which site.';
COMMENT ON COLUMN quality.result.hour_start IS 'Start of the UTC hour.';
COMMENT ON COLUMN quality.result.revision IS 'Revision of the hour that was checked.';
COMMENT ON COLUMN quality.result.suite IS 'traffic_bucket (what the stream counted) or hourly_report (what was published).';
COMMENT ON COLUMN quality.result.expectation IS 'Name of the expectation; quality.expectation describes it.';
COMMENT ON COLUMN quality.result.severity IS 'What a failure does to the seal: critical makes it red, warning amber; waits: too early to judge, unchecked.';
COMMENT ON COLUMN quality.result.passed IS 'Whether it holds; null when it could not be checked or does not apply (observed says which).';
COMMENT ON COLUMN quality.result.observed IS 'What was found, bounded and without values from outside.';
COMMENT ON COLUMN quality.result.threshold IS 'What was expected.';

CREATE TABLE quality.expectation (
    suite       text NOT NULL,
    expectation text NOT NULL,
    severity    text NOT NULL CHECK (severity IN ('critical', 'warning', 'waits')),
    description text NOT NULL,
    threshold   text NOT NULL,
    owner       text NOT NULL,
    PRIMARY KEY (suite, expectation)
);
COMMENT ON TABLE quality.expectation IS 'What must be true of our tables, as the newest run knew it.';
COMMENT ON COLUMN quality.expectation.suite IS 'traffic_bucket or hourly_report.';
COMMENT ON COLUMN quality.expectation.expectation IS 'Name of the expectation.';
COMMENT ON COLUMN quality.expectation.severity IS 'critical: failing makes the seal red; warning: amber; waits: too early to judge, unchecked.';
COMMENT ON COLUMN quality.expectation.description IS 'What it demands, in words.';
COMMENT ON COLUMN quality.expectation.threshold IS 'What is expected, short.';
COMMENT ON COLUMN quality.expectation.owner IS 'Which part of Footfall to look at when it fails.';

CREATE TABLE quality.hour_seal (
    site       text NOT NULL,
    hour_start timestamptz NOT NULL,
    revision   integer NOT NULL,
    seal       text NOT NULL CHECK (seal IN ('green', 'amber', 'red', 'unchecked')),
    reason     text NOT NULL CHECK (length(reason) <= 500),
    run_id     bigint NOT NULL REFERENCES quality.run,
    sealed_at  timestamptz NOT NULL,
    PRIMARY KEY (site, hour_start, revision),
    FOREIGN KEY (site, hour_start, revision) REFERENCES report.hour_revision
);
CREATE INDEX ON quality.hour_seal (run_id);
COMMENT ON TABLE quality.hour_seal IS 'Verdict on each hour revision that was looked at; only unchecked is ever replaced.';
COMMENT ON COLUMN quality.hour_seal.site IS 'Which site.';
COMMENT ON COLUMN quality.hour_seal.hour_start IS 'Start of the UTC hour.';
COMMENT ON COLUMN quality.hour_seal.revision IS 'Revision of the hour.';
COMMENT ON COLUMN quality.hour_seal.seal IS 'green: everything holds; amber: a warning failed; red: a critical expectation failed; unchecked: could not be judged.';
COMMENT ON COLUMN quality.hour_seal.reason IS 'Which expectations failed, or why it could not be judged.';
COMMENT ON COLUMN quality.hour_seal.run_id IS 'Run that gave the seal (quality.run).';
COMMENT ON COLUMN quality.hour_seal.sealed_at IS 'When.';

CREATE VIEW quality.revision_seal AS
SELECT r.site, r.hour_start, r.revision, h.site IS NOT NULL AS is_current,
       coalesce(s.seal, 'unchecked') AS seal,
       CASE WHEN s.seal IS NOT NULL THEN s.reason
            WHEN h.site IS NOT NULL THEN 'not checked yet'
            ELSE 'a newer revision came before it was checked' END AS reason,
       s.run_id, s.sealed_at
FROM report.hour_revision AS r
LEFT JOIN report.hour_checked AS h USING (site, hour_start, revision)
LEFT JOIN quality.hour_seal AS s USING (site, hour_start, revision);
COMMENT ON VIEW quality.revision_seal IS 'The seal of every published revision: without a verdict it is unchecked, never passed.';
COMMENT ON COLUMN quality.revision_seal.site IS 'Which site.';
COMMENT ON COLUMN quality.revision_seal.hour_start IS 'Start of the UTC hour.';
COMMENT ON COLUMN quality.revision_seal.revision IS 'Revision of the hour.';
COMMENT ON COLUMN quality.revision_seal.is_current IS 'Whether it is the latest revision of its hour.';
COMMENT ON COLUMN quality.revision_seal.seal IS 'green, amber, red or unchecked.';
COMMENT ON COLUMN quality.revision_seal.reason IS 'Which expectations failed, or why there is no verdict.';
COMMENT ON COLUMN quality.revision_seal.run_id IS 'Run that gave the seal.';
COMMENT ON COLUMN quality.revision_seal.sealed_at IS 'When.';

CREATE VIEW quality.current_seal AS
SELECT h.site, h.hour_start, h.revision, coalesce(s.seal, 'unchecked') AS seal,
       coalesce(s.reason, 'not checked yet') AS reason, s.run_id, s.sealed_at
FROM report.hour_checked AS h
LEFT JOIN quality.hour_seal AS s USING (site, hour_start, revision);
COMMENT ON VIEW quality.current_seal IS 'The seal of the latest revision of each hour.';
COMMENT ON COLUMN quality.current_seal.site IS 'Which site.';
COMMENT ON COLUMN quality.current_seal.hour_start IS 'Start of the UTC hour.';
COMMENT ON COLUMN quality.current_seal.revision IS 'Latest revision of the hour.';
COMMENT ON COLUMN quality.current_seal.seal IS 'green, amber, red or unchecked.';
COMMENT ON COLUMN quality.current_seal.reason IS 'Which expectations failed, or why there is no verdict.';
COMMENT ON COLUMN quality.current_seal.run_id IS 'Run that gave the seal.';
COMMENT ON COLUMN quality.current_seal.sealed_at IS 'When.';

CREATE VIEW quality.current_result AS
SELECT s.site, s.hour_start, s.revision, s.seal, r.suite, r.expectation, r.severity, r.passed, r.observed, r.threshold,
       e.description, e.owner, s.run_id
FROM quality.current_seal AS s
JOIN quality.result AS r USING (site, hour_start, revision, run_id)
LEFT JOIN quality.expectation AS e USING (suite, expectation);
COMMENT ON VIEW quality.current_result IS 'What each expectation found for the latest revision of each hour, in the run that sealed it.';
COMMENT ON COLUMN quality.current_result.site IS 'Which site.';
COMMENT ON COLUMN quality.current_result.hour_start IS 'Start of the UTC hour.';
COMMENT ON COLUMN quality.current_result.revision IS 'Latest revision of the hour.';
COMMENT ON COLUMN quality.current_result.seal IS 'Seal of that revision.';
COMMENT ON COLUMN quality.current_result.suite IS 'traffic_bucket or hourly_report.';
COMMENT ON COLUMN quality.current_result.expectation IS 'Name of the expectation.';
COMMENT ON COLUMN quality.current_result.severity IS 'critical, warning or waits.';
COMMENT ON COLUMN quality.current_result.passed IS 'Whether it holds; null when it could not be checked or does not apply.';
COMMENT ON COLUMN quality.current_result.observed IS 'What was found.';
COMMENT ON COLUMN quality.current_result.threshold IS 'What was expected.';
COMMENT ON COLUMN quality.current_result.description IS 'What it demands, in words.';
COMMENT ON COLUMN quality.current_result.owner IS 'Which part of Footfall to look at when it fails.';
COMMENT ON COLUMN quality.current_result.run_id IS 'Run that gave the seal.';

GRANT SELECT ON ALL TABLES IN SCHEMA quality TO footfall_reporter, footfall_reader;
GRANT INSERT ON quality.run, quality.result, quality.expectation, quality.hour_seal TO footfall_reporter;
GRANT UPDATE ON quality.run, quality.expectation, quality.hour_seal TO footfall_reporter;

RESET ROLE;
