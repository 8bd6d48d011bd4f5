-- Hits of a range by page, country, status class or agent class, of those lines only that match filters on the others;
-- as counted now, from buckets that are kept for a limited time. Grain: a value.
-- Parameters: site, from_time, until_time, field (path|country|status_class|agent_class), page, country, status_class,
-- agent_class (empty: no filter; country '-' is unknown), most (rows). Reads only.
SELECT CASE %(field)s WHEN 'path' THEN path WHEN 'country' THEN country WHEN 'status_class' THEN status_class::text
       ELSE agent_class END AS value, sum(hits)::bigint AS hits, count(*) OVER () AS rows_all,
       sum(sum(hits)) OVER ()::bigint AS hits_all
FROM (
    SELECT path, country, status_class, agent_class, hits
    FROM report.range_cell(%(site)s, %(from_time)s::timestamptz, %(until_time)s::timestamptz)
    WHERE %(page)s = ''
    UNION ALL
    SELECT %(page)s, country, status_class, agent_class, hits
    FROM report.page_cell(%(site)s, %(page)s, %(from_time)s::timestamptz, %(until_time)s::timestamptz)
    WHERE %(page)s <> ''
) AS cell
WHERE (%(country)s = '' OR country = replace(%(country)s, '-', ''))
  AND (%(status_class)s = '' OR status_class::text = %(status_class)s)
  AND (%(agent_class)s = '' OR agent_class = %(agent_class)s)
GROUP BY 1
ORDER BY hits DESC, value
LIMIT %(most)s::integer
