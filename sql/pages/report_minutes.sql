-- Hits of an hour by minute, and which revision added them, as known at a moment. Grain: a minute, and a revision of the
-- hour: 1 the first report, 2 the second one, 3 all later ones. The sum over a minute is its hits. Negative: taken back.
-- From the first revision on whose minutes were not kept none is told: what a later one added could not be said.
-- Parameters: site, from_time, until_time, known_at. Reads only.
WITH kept AS (
    SELECT m.hour_start, m.revision, m.minute_hits, row_number() OVER (PARTITION BY m.hour_start ORDER BY m.revision) AS place
    FROM report.known_hour(%(site)s, %(from_time)s::timestamptz, %(until_time)s::timestamptz, %(known_at)s::timestamptz)
        AS h
    JOIN report.hourly_minute AS m ON m.site = %(site)s AND m.hour_start = h.hour_start AND m.revision <= h.revision
)
SELECT step_start, least(revision, 3) AS revision, sum(hits_added)::bigint AS hits_added
FROM (
    SELECT k.hour_start + make_interval(mins => (part.place - 1)::integer) AS step_start, k.revision,
           part.hits - coalesce(lag(part.hits) OVER (PARTITION BY k.hour_start, part.place ORDER BY k.revision), 0)
               AS hits_added
    FROM kept AS k
    CROSS JOIN LATERAL unnest(k.minute_hits) WITH ORDINALITY AS part (hits, place)
    WHERE k.place = k.revision
) AS step
GROUP BY 1, 2
ORDER BY 1, 2
