-- What differs between two revisions of an hour, by page, country and status class, the largest difference first.
-- Grain: a page, country or class whose hits differ. Parameters: site, from_time (the hour), revision, against (the
-- revision it is compared with), most (rows of each). Reads only.
SELECT d.field, d.value, d.hits_then, d.hits_now, d.hits_now - d.hits_then AS difference, d.rows_all
FROM (
    SELECT c.field, c.value, c.hits_then, c.hits_now, count(*) OVER (PARTITION BY c.field) AS rows_all,
           row_number() OVER (PARTITION BY c.field ORDER BY abs(c.hits_now - c.hits_then) DESC, c.value) AS place
    FROM (
        SELECT r.field, r.value, coalesce(sum(r.hits) FILTER (WHERE r.revision = %(against)s::integer), 0)::bigint AS hits_then,
               coalesce(sum(r.hits) FILTER (WHERE r.revision = %(revision)s::integer), 0)::bigint AS hits_now
        FROM (
            SELECT 'page' AS field, path AS value, site, hour_start, revision, hits FROM report.hourly_page
            UNION ALL
            SELECT 'country', country, site, hour_start, revision, hits FROM report.hourly_country
            UNION ALL
            SELECT 'status_class', status_class::text, site, hour_start, revision, hits FROM report.hourly_status
        ) AS r
        WHERE r.site = %(site)s AND r.hour_start = %(from_time)s::timestamptz
          AND r.revision IN (%(revision)s::integer, %(against)s::integer)
        GROUP BY r.field, r.value
    ) AS c
    WHERE c.hits_now <> c.hits_then
) AS d
WHERE d.place <= %(most)s::integer
ORDER BY d.field, d.place
