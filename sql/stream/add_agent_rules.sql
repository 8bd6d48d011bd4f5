-- Rules of agents that the batch met for the first time. Grain: a rule. A rerun changes nothing.
-- Parameters: rules, agent_classes (arrays of the same length), rules_version.
INSERT INTO stream.agent_rule (rule, agent_class, rules_version)
SELECT batch.rule, batch.agent_class, %(rules_version)s
FROM unnest(%(rules)s::text[], %(agent_classes)s::text[]) AS batch (rule, agent_class)
WHERE NOT EXISTS (SELECT FROM stream.agent_rule AS known WHERE known.rule = batch.rule)
ON CONFLICT (rule) DO NOTHING
