-- Gives rules the class that the present version gives them. Grain: a rule. A rerun changes nothing.
-- Parameters: rules, agent_classes (arrays of the same length), rules_version.
UPDATE stream.agent_rule AS known
SET agent_class = batch.agent_class, rules_version = %(rules_version)s
FROM unnest(%(rules)s::text[], %(agent_classes)s::text[]) AS batch (rule, agent_class)
WHERE known.rule = batch.rule
