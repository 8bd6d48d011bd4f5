-- What differs between a range as known at one moment and at another, by page, country and status class, the largest
-- difference first. Only hours whose revision differs are read. Grain: a page, country or class whose hits differ.
-- Parameters: site, from_time, until_time, known_at, against (the moment it is compared with), most (rows of each).
-- Reads only.
WITH hour AS MATERIALIZED (
    SELECT hour_start, shown.revision AS revision_now, other.revision AS revision_then
    FROM report.known_hour(%(site)s, %(from_time)s::timestamptz, %(until_time)s::timestamptz, %(known_at)s::timestamptz) AS shown
    FULL JOIN report.known_hour(%(site)s, %(from_time)s::timestamptz, %(until_time)s::timestamptz, %(against)s::timestamptz)
        AS other USING (hour_start)
    WHERE shown.revision IS DISTINCT FROM other.revision
), side AS (
    SELECT hour_start, revision_now AS revision, 1 AS is_now FROM hour WHERE revision_now IS NOT NULL
    UNION ALL
    SELECT hour_start, revision_then, 0 FROM hour WHERE revision_then IS NOT NULL
), part AS (
    SELECT 'page' AS field, t.path AS value, s.is_now, t.hits
    FROM side AS s JOIN report.hourly_page AS t ON (t.site, t.hour_start, t.revision) = (%(site)s, s.hour_start, s.revision)
    UNION ALL
    SELECT 'country', t.country, s.is_now, t.hits
    FROM side AS s JOIN report.hourly_country AS t ON (t.site, t.hour_start, t.revision) = (%(site)s, s.hour_start, s.revision)
    UNION ALL
    SELECT 'status_class', t.status_class::text, s.is_now, t.hits
    FROM side AS s JOIN report.hourly_status AS t ON (t.site, t.hour_start, t.revision) = (%(site)s, s.hour_start, s.revision)
), summed AS (
    SELECT field, value, sum(hits * (1 - is_now))::bigint AS hits_then, sum(hits * is_now)::bigint AS hits_now
    FROM part
    GROUP BY field, value
), ranked AS (
    SELECT field, value, hits_then, hits_now, hits_now - hits_then AS difference, count(*) OVER (PARTITION BY field) AS rows_all,
           row_number() OVER (PARTITION BY field ORDER BY abs(hits_now - hits_then) DESC, value) AS place
    FROM summed
    WHERE hits_now <> hits_then
)
SELECT field, value, hits_then, hits_now, difference, rows_all
FROM ranked
WHERE place <= %(most)s::integer
ORDER BY field, place
