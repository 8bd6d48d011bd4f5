-- depends: 0008b.report-ranges
-- What the second path found: a Spark batch reads the records of reported hours from Kafka again, computes every
-- figure another way, and compares. A difference turns the seal of its hours red; what Great Expectations said stays.

SET LOCAL ROLE footfall_owner;

-- A record counts for a value of its own from the batch on that admitted the value: its transaction began then.
ALTER TABLE stream.own_row ADD COLUMN admitted_at timestamptz NOT NULL DEFAULT now();
COMMENT ON COLUMN stream.own_row.admitted_at IS 'Start of the transaction that admitted it: batches committed before counted the value as (other).';

CREATE TABLE quality.audit (
    audit_id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_label              text NOT NULL CHECK (length(run_label) BETWEEN 1 AND 250),
    audited_from           timestamptz NOT NULL CHECK (date_trunc('hour', audited_from, 'UTC') = audited_from),
    audited_until          timestamptz NOT NULL CHECK (date_trunc('hour', audited_until, 'UTC') = audited_until),
    status                 text NOT NULL DEFAULT 'running'
                           CHECK (status IN ('running', 'equal', 'differs', 'unchecked', 'broken')),
    ledger_id              bigint,
    hours_checked          integer NOT NULL DEFAULT 0 CHECK (hours_checked >= 0),
    hours_unchecked        integer NOT NULL DEFAULT 0 CHECK (hours_unchecked >= 0),
    records_read           bigint NOT NULL DEFAULT 0 CHECK (records_read >= 0),
    offsets_gone           bigint NOT NULL DEFAULT 0 CHECK (offsets_gone >= 0),
    cells_compared         bigint NOT NULL DEFAULT 0 CHECK (cells_compared >= 0),
    cells_differing        bigint NOT NULL DEFAULT 0 CHECK (cells_differing BETWEEN 0 AND cells_compared),
    estimates              bigint NOT NULL DEFAULT 0 CHECK (estimates >= 0),
    estimates_beyond_bound bigint NOT NULL DEFAULT 0 CHECK (estimates_beyond_bound BETWEEN 0 AND estimates),
    visitors_error         bigint CHECK (visitors_error >= 0),
    visitors_error_bound   bigint CHECK (visitors_error_bound >= 0),
    latency_error          double precision CHECK (latency_error >= 0),
    notes                  text NOT NULL DEFAULT '' CHECK (length(notes) <= 2000),
    error                  text CHECK (length(error) <= 500),
    started_at             timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at            timestamptz,
    CHECK (audited_from < audited_until),
    CHECK ((status = 'broken') = (error IS NOT NULL)),
    CHECK ((status = 'running') = (finished_at IS NULL)),
    CHECK (status <> 'equal' OR (cells_differing = 0 AND hours_checked > 0)),
    CHECK (status <> 'differs' OR cells_differing > 0)
);
CREATE INDEX ON quality.audit (started_at);
COMMENT ON TABLE quality.audit IS 'Each audit: the records of reported hours read again from Kafka, every figure computed another way and compared.';
COMMENT ON COLUMN quality.audit.audit_id IS 'Number of the audit.';
COMMENT ON COLUMN quality.audit.run_label IS 'Who asked for it, such as the id of the DAG run.';
COMMENT ON COLUMN quality.audit.audited_from IS 'Start of the audited period: a full UTC hour.';
COMMENT ON COLUMN quality.audit.audited_until IS 'End of it, exclusive.';
COMMENT ON COLUMN quality.audit.status IS 'running; equal: every cell compared agrees; differs; unchecked: no hour could be checked; broken: it could not run, see error.';
COMMENT ON COLUMN quality.audit.ledger_id IS 'Last row of the ledger in the moment whose reports it compared.';
COMMENT ON COLUMN quality.audit.hours_checked IS 'Number of hours (of a site) whose records could all be read again.';
COMMENT ON COLUMN quality.audit.hours_unchecked IS 'Number of those it could not check; quality.audit_hour says why.';
COMMENT ON COLUMN quality.audit.records_read IS 'Number of records it read from Kafka.';
COMMENT ON COLUMN quality.audit.offsets_gone IS 'Offsets of the period that Kafka no longer has; quality.audit_range lists them.';
COMMENT ON COLUMN quality.audit.cells_compared IS 'Number of figures compared, each of one site, time, report and key.';
COMMENT ON COLUMN quality.audit.cells_differing IS 'Number of those that differ; quality.audit_difference holds the first thousand.';
COMMENT ON COLUMN quality.audit.estimates IS 'Number of visitor figures compared that are estimates (their bound is not 0).';
COMMENT ON COLUMN quality.audit.estimates_beyond_bound IS 'Number of those whose error is larger than their 95 % bound: about one in twenty is so by chance. Beyond twice the bound it counts as a difference.';
COMMENT ON COLUMN quality.audit.visitors_error IS 'Error of the visitor figure that is worst against its bound: distance from the exact number. Null when none was compared.';
COMMENT ON COLUMN quality.audit.visitors_error_bound IS 'Bound of that figure; 0 when it claims to be exact.';
COMMENT ON COLUMN quality.audit.latency_error IS 'Largest relative error of a latency percentile against the exact one; up to 0.01 is stated. Null when none was compared.';
COMMENT ON COLUMN quality.audit.notes IS 'What could not be compared beyond whole hours, such as the visits of a day, and why.';
COMMENT ON COLUMN quality.audit.error IS 'Why it could not run.';
COMMENT ON COLUMN quality.audit.started_at IS 'When it started.';
COMMENT ON COLUMN quality.audit.finished_at IS 'When it ended; null while it runs.';

CREATE TABLE quality.audit_hour (
    audit_id        bigint NOT NULL REFERENCES quality.audit,
    site            text NOT NULL,
    hour_start      timestamptz NOT NULL,
    revision        integer,
    verdict         text NOT NULL CHECK (verdict IN ('equal', 'differs', 'unchecked')),
    cells_differing bigint NOT NULL CHECK (cells_differing >= 0),
    reason          text NOT NULL CHECK (length(reason) <= 500),
    PRIMARY KEY (audit_id, site, hour_start),
    FOREIGN KEY (site, hour_start, revision) REFERENCES report.hour_revision,
    CHECK ((verdict = 'differs') = (cells_differing > 0)),
    CHECK (verdict = 'unchecked' OR revision IS NOT NULL)
);
CREATE INDEX ON quality.audit_hour (site, hour_start, revision);
COMMENT ON TABLE quality.audit_hour IS 'What each audit says of each hour of its period. Append-only.';
COMMENT ON COLUMN quality.audit_hour.audit_id IS 'Which audit.';
COMMENT ON COLUMN quality.audit_hour.site IS 'Which site.';
COMMENT ON COLUMN quality.audit_hour.hour_start IS 'Start of the UTC hour.';
COMMENT ON COLUMN quality.audit_hour.revision IS 'Revision of the hour that was compared; null without a report.';
COMMENT ON COLUMN quality.audit_hour.verdict IS 'equal, differs, or unchecked (reason says why).';
COMMENT ON COLUMN quality.audit_hour.cells_differing IS 'Number of figures that differ: of the hour itself, or of its day.';
COMMENT ON COLUMN quality.audit_hour.reason IS 'Which reports differ, or why the hour could not be checked.';

CREATE TABLE quality.audit_difference (
    audit_id   bigint NOT NULL REFERENCES quality.audit,
    report     text NOT NULL,
    site       text NOT NULL,
    hour_start timestamptz NOT NULL,
    key        text NOT NULL,
    figure     text NOT NULL,
    reported   text,
    recomputed text,
    PRIMARY KEY (audit_id, report, site, hour_start, key, figure)
);
COMMENT ON TABLE quality.audit_difference IS 'Figures in which a published report and the second computation differ: the first thousand of each audit. Append-only.';
COMMENT ON COLUMN quality.audit_difference.audit_id IS 'Which audit.';
COMMENT ON COLUMN quality.audit_difference.report IS 'Table of the schema report that holds the figure.';
COMMENT ON COLUMN quality.audit_difference.site IS 'Which site.';
COMMENT ON COLUMN quality.audit_difference.hour_start IS 'Start of the UTC hour; of the day or month when the report is of those.';
COMMENT ON COLUMN quality.audit_difference.key IS 'Which row of the report: path, country, status class, dimension and value …; empty when there is one row.';
COMMENT ON COLUMN quality.audit_difference.figure IS 'Which column; row: the whole row stands on one side only.';
COMMENT ON COLUMN quality.audit_difference.reported IS 'What the report says; null when it has no such row.';
COMMENT ON COLUMN quality.audit_difference.recomputed IS 'What the records say; null when no record says so.';

CREATE TABLE quality.audit_range (
    audit_id        bigint NOT NULL REFERENCES quality.audit,
    topic_id        uuid NOT NULL,
    kafka_partition integer NOT NULL CHECK (kafka_partition >= 0),
    state           text NOT NULL CHECK (state IN ('read', 'gone')),
    offset_ranges   int8multirange NOT NULL CHECK (NOT isempty(offset_ranges)),
    PRIMARY KEY (audit_id, topic_id, kafka_partition, state)
);
COMMENT ON TABLE quality.audit_range IS 'Offsets that each audit read, and those of its period that are no longer in Kafka. Append-only.';
COMMENT ON COLUMN quality.audit_range.audit_id IS 'Which audit.';
COMMENT ON COLUMN quality.audit_range.topic_id IS 'Topic incarnation.';
COMMENT ON COLUMN quality.audit_range.kafka_partition IS 'Kafka partition.';
COMMENT ON COLUMN quality.audit_range.state IS 'read, or gone: Kafka no longer has them.';
COMMENT ON COLUMN quality.audit_range.offset_ranges IS 'The offsets.';

CREATE VIEW quality.revision_audit AS
SELECT DISTINCT ON (h.site, h.hour_start, h.revision)
       h.site, h.hour_start, h.revision, h.audit_id, h.verdict, h.cells_differing, h.reason, a.finished_at AS audited_at
FROM quality.audit_hour AS h
JOIN quality.audit AS a USING (audit_id)
WHERE h.verdict <> 'unchecked'
ORDER BY h.site, h.hour_start, h.revision, h.audit_id DESC;
COMMENT ON VIEW quality.revision_audit IS 'What the latest audit that could check an hour revision says of it.';
COMMENT ON COLUMN quality.revision_audit.site IS 'Which site.';
COMMENT ON COLUMN quality.revision_audit.hour_start IS 'Start of the UTC hour.';
COMMENT ON COLUMN quality.revision_audit.revision IS 'Revision of the hour.';
COMMENT ON COLUMN quality.revision_audit.audit_id IS 'Which audit.';
COMMENT ON COLUMN quality.revision_audit.verdict IS 'equal or differs.';
COMMENT ON COLUMN quality.revision_audit.cells_differing IS 'Number of figures that differ.';
COMMENT ON COLUMN quality.revision_audit.reason IS 'Which reports differ.';
COMMENT ON COLUMN quality.revision_audit.audited_at IS 'When that audit ended.';

-- The seal people read is the worse of the two verdicts. quality.hour_seal itself is not touched.
CREATE OR REPLACE VIEW quality.revision_seal AS
SELECT r.site, r.hour_start, r.revision, h.site IS NOT NULL AS is_current,
       CASE WHEN a.verdict = 'differs' THEN 'red' ELSE coalesce(s.seal, 'unchecked') END AS seal,
       CASE WHEN a.verdict = 'differs' THEN left('audit ' || a.audit_id || ': ' || a.reason
                || coalesce('; ' || CASE WHEN s.seal IN ('red', 'amber') THEN s.reason END, ''), 500)
            WHEN s.seal IS NOT NULL THEN s.reason
            WHEN h.site IS NOT NULL THEN 'not checked yet'
            ELSE 'a newer revision came before it was checked' END AS reason,
       s.run_id,
       CASE WHEN a.verdict = 'differs' THEN a.audited_at ELSE s.sealed_at END AS sealed_at,
       a.audit_id, a.verdict AS audit_verdict, a.audited_at
FROM report.hour_revision AS r
LEFT JOIN report.hour_checked AS h USING (site, hour_start, revision)
LEFT JOIN quality.hour_seal AS s USING (site, hour_start, revision)
LEFT JOIN quality.revision_audit AS a USING (site, hour_start, revision);
COMMENT ON VIEW quality.revision_seal IS 'The seal of every published revision: the worse of what the checks and the latest audit say. Without a verdict it is unchecked, never passed.';
COMMENT ON COLUMN quality.revision_seal.reason IS 'Which expectations failed, what the audit found, or why there is no verdict.';
COMMENT ON COLUMN quality.revision_seal.run_id IS 'Run of the checks that judged it.';
COMMENT ON COLUMN quality.revision_seal.audit_id IS 'Latest audit that could check this revision; null when none has.';
COMMENT ON COLUMN quality.revision_seal.audit_verdict IS 'What it says: equal, or differs (then the seal is red).';
COMMENT ON COLUMN quality.revision_seal.audited_at IS 'When that audit ended.';

CREATE OR REPLACE VIEW quality.current_seal AS
SELECT h.site, h.hour_start, h.revision, v.seal, v.reason, v.run_id, v.sealed_at,
       v.audit_id, v.audit_verdict, v.audited_at
FROM report.hour_checked AS h
JOIN quality.revision_seal AS v USING (site, hour_start, revision);
COMMENT ON VIEW quality.current_seal IS 'The seal of the latest revision of each hour: the worse of what the checks and the latest audit say.';
COMMENT ON COLUMN quality.current_seal.reason IS 'Which expectations failed, what the audit found, or why there is no verdict.';
COMMENT ON COLUMN quality.current_seal.run_id IS 'Run of the checks that judged it.';
COMMENT ON COLUMN quality.current_seal.audit_id IS 'Latest audit that could check this revision; null when none has.';
COMMENT ON COLUMN quality.current_seal.audit_verdict IS 'What it says: equal, or differs (then the seal is red).';
COMMENT ON COLUMN quality.current_seal.audited_at IS 'When that audit ended.';

GRANT SELECT ON quality.audit, quality.audit_hour, quality.audit_difference, quality.audit_range,
    quality.revision_audit TO footfall_reporter, footfall_reader;
GRANT INSERT ON quality.audit, quality.audit_hour, quality.audit_difference, quality.audit_range TO footfall_reporter;
GRANT UPDATE ON quality.audit TO footfall_reporter;

RESET ROLE;
