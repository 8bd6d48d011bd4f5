-- Hits of an hour by minute, and which revision added them, as known at a moment. Grain: a minute, and a revision of the
-- hour: 1 the first report, 2 the second one, 3 all later ones. The sum over a minute is its hits. Negative: taken back.
-- Revisions whose minutes were not kept have no row. Parameters: site, from_time, until_time, known_at. Reads only.
SELECT step_start, least(revision, 3) AS revision, sum(hits_added)::bigint AS hits_added
FROM (
    SELECT m.hour_start + make_interval(mins => (part.place - 1)::integer) AS step_start, m.revision,
           part.hits - coalesce(lag(part.hits) OVER (PARTITION BY m.hour_start, part.place ORDER BY m.revision), 0)
               AS hits_added
    FROM report.known_hour(%(site)s, %(from_time)s::timestamptz, %(until_time)s::timestamptz, %(known_at)s::timestamptz)
        AS h
    JOIN report.hourly_minute AS m ON m.site = %(site)s AND m.hour_start = h.hour_start AND m.revision <= h.revision
    CROSS JOIN LATERAL unnest(m.minute_hits) WITH ORDINALITY AS part (hits, place)
) AS step
GROUP BY 1, 2
ORDER BY 1, 2
