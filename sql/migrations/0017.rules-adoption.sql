-- depends: 0016.rejected-samples
-- From when on which version of the agents' rules has counted: an audit recomputes with the rules of today, and must
-- not call different what an older version has counted.

SET LOCAL ROLE footfall_owner;

CREATE TABLE stream.rules_adoption (
    ledger_id     bigint PRIMARY KEY,
    rules_version integer NOT NULL CHECK (rules_version >= 1),
    adopted_at    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE stream.rules_adoption IS 'Each time the stream job began to count by another version of the agents'' rules. Append-only.';
COMMENT ON COLUMN stream.rules_adoption.ledger_id IS 'A number of the ledger''s sequence that no row has: later rows were counted by this version, earlier ones by the version before.';
COMMENT ON COLUMN stream.rules_adoption.rules_version IS 'Version of the rules.';
COMMENT ON COLUMN stream.rules_adoption.adopted_at IS 'When the job adopted it.';

-- There was one version before this table.
INSERT INTO stream.rules_adoption (ledger_id, rules_version)
SELECT 0, max(rules_version) FROM stream.agent_rule HAVING max(rules_version) IS NOT NULL;

GRANT SELECT, INSERT ON stream.rules_adoption TO footfall_writer;
GRANT SELECT ON stream.rules_adoption TO footfall_reporter;

RESET ROLE;
