-- Rules last set by an older version of the rules. Grain: a rule. Parameters: rules_version. Reads only.
SELECT rule, agent_class FROM stream.agent_rule WHERE rules_version < %(rules_version)s ORDER BY rule
