-- Traffic of a range by country as known at a moment, beside the period before it. Grain: a country, most hits first;
-- the unknown one (empty) stands last and is always there when it has hits.
-- Parameters: site, from_time, until_time, known_at, most (rows besides the unknown one). Reads only.
SELECT t.country, t.hits, t.previous_hits, t.rows_all, t.hits_all
FROM (
    SELECT r.country, r.hits, r.previous_hits, count(*) OVER () AS rows_all, sum(r.hits) OVER ()::bigint AS hits_all,
           row_number() OVER (ORDER BY r.country = '', r.hits DESC, r.country) AS place
    FROM report.range_country(%(site)s, %(from_time)s::timestamptz, %(until_time)s::timestamptz,
                              %(known_at)s::timestamptz) AS r
    WHERE r.hits > 0
) AS t
WHERE t.place <= %(most)s::integer OR t.country = ''
ORDER BY t.place
