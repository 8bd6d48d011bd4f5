-- Hits of a site's newest closed 30 s by agent class, against the 30 s before. Grain: a class.
-- Parameters: site. Reads only.
--   rules_version  of the agents' rules by which the stream counts now
WITH lag AS MATERIALIZED (
    SELECT closed_until FROM report.stream_lag
)
SELECT c.agent_class, coalesce(sum(c.hits) FILTER (WHERE c.is_now), 0)::bigint AS hits,
       coalesce(sum(c.hits) FILTER (WHERE NOT c.is_now), 0)::bigint AS hits_before,
       (SELECT r.rules_version FROM report.rules_adoption AS r ORDER BY r.ledger_id DESC LIMIT 1) AS rules_version
FROM (
    SELECT n.agent_class, n.hits, true AS is_now
    FROM lag CROSS JOIN LATERAL report.range_cell(%(site)s, lag.closed_until - interval '30 seconds', lag.closed_until) AS n
    UNION ALL
    SELECT b.agent_class, b.hits, false
    FROM lag
    CROSS JOIN LATERAL report.range_cell(%(site)s, lag.closed_until - interval '60 seconds',
                                         lag.closed_until - interval '30 seconds') AS b
) AS c
GROUP BY c.agent_class
ORDER BY c.agent_class
