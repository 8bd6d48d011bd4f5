-- Visitors of a site's newest weeks (ISO, Monday to Sunday) or calendar months, UTC, as the hours' reports are now; a
-- union, and two keys in a period are never added. Grain: a period and visitor key.
-- Parameters: site, until_time, period (week|month), periods (how many). Reads only.
SELECT p.period_start, v.key_id, v.visitors, v.visitors_bound, v.exact
FROM (
    SELECT at.starts AT TIME ZONE 'UTC' AS period_start, (at.starts + ('1 ' || %(period)s)::interval) AT TIME ZONE 'UTC' AS period_end
    FROM generate_series(0, %(periods)s::integer - 1) AS back
    CROSS JOIN LATERAL (
        SELECT date_trunc(%(period)s, (%(until_time)s::timestamptz - interval '1 second') AT TIME ZONE 'UTC')
               - back * ('1 ' || %(period)s)::interval AS starts
    ) AS at
) AS p
CROSS JOIN LATERAL report.visitors(%(site)s, p.period_start, p.period_end) AS v
ORDER BY p.period_start DESC, v.key_id
