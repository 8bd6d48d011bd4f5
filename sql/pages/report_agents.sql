-- Traffic of a range by agent class as known at a moment, beside the period before it. Grain: a class.
-- Parameters: site, from_time, until_time, known_at. Reads only.
SELECT coalesce(agent_class, 'unknown') AS value, sum(hits)::bigint AS hits, sum(previous_hits)::bigint AS previous_hits,
       count(*) OVER () AS rows_all, sum(sum(hits)) OVER ()::bigint AS hits_all
FROM report.range_dimension(%(site)s, %(from_time)s::timestamptz, %(until_time)s::timestamptz, %(known_at)s::timestamptz,
                            'agent_rule')
WHERE hits > 0
GROUP BY coalesce(agent_class, 'unknown')
ORDER BY hits DESC, value
