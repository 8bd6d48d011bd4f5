-- Hits of a range by page, country, status class and agent class, of those lines only that match filters; as counted
-- now, from buckets that are kept for a limited time, all four in one reading of them. Grain: a field and its value;
-- the unknown country (empty) stands last of its field and is always there when it has hits.
-- Parameters: site, from_time, until_time, page, country, status_class, agent_class (empty: no filter; country '-' is
-- unknown), most (values of each field, the unknown country besides). Reads only.
WITH cell AS MATERIALIZED (
    SELECT path, country, status_class, agent_class, hits
    FROM report.filtered_cell(
        %(site)s, %(from_time)s::timestamptz, %(until_time)s::timestamptz,
        CASE WHEN %(country)s <> '' THEN replace(%(country)s, '-', '') END,
        nullif(%(status_class)s, '')::smallint, nullif(%(agent_class)s, ''))
    WHERE %(page)s = ''
    UNION ALL
    SELECT %(page)s, country, status_class, agent_class, hits
    FROM report.page_cell(%(site)s, %(page)s, %(from_time)s::timestamptz, %(until_time)s::timestamptz)
    WHERE %(page)s <> '' AND (%(country)s = '' OR country = replace(%(country)s, '-', ''))
      AND (%(status_class)s = '' OR status_class::text = %(status_class)s)
      AND (%(agent_class)s = '' OR agent_class = %(agent_class)s)
), value AS (
    SELECT CASE grouping(path, country, status_class, agent_class)
               WHEN 7 THEN 'path' WHEN 11 THEN 'country' WHEN 13 THEN 'status_class' WHEN 14 THEN 'agent_class'
           END AS field,
           CASE grouping(path, country, status_class, agent_class)
               WHEN 7 THEN path WHEN 11 THEN country WHEN 13 THEN status_class::text WHEN 14 THEN agent_class
           END AS value,
           sum(hits)::bigint AS hits
    FROM cell
    GROUP BY GROUPING SETS ((path), (country), (status_class), (agent_class))
), placed AS (
    SELECT field, value, hits, count(*) OVER (PARTITION BY field) AS rows_all,
           sum(hits) OVER (PARTITION BY field)::bigint AS hits_all,
           row_number() OVER (PARTITION BY field ORDER BY field = 'country' AND value = '', hits DESC, value) AS place
    FROM value
)
SELECT field, value, hits, rows_all, hits_all
FROM placed
WHERE place <= %(most)s::integer OR (field = 'country' AND value = '')
ORDER BY field, place
