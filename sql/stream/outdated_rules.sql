-- Rules last set by another version of the rules: an older one, or a newer one that was taken back.
-- Grain: a rule. Parameters: rules_version. Reads only.
SELECT rule, agent_class FROM stream.agent_rule WHERE rules_version <> %(rules_version)s ORDER BY rule
