-- Published hours of the live sites: what forecasts are made from. Grain: a site, series and hour with traffic.
-- Parameters: as_of, hours (how far back). A rerun reads again. Pages and countries are the largest of the last day.
WITH live AS (
    SELECT site, max(hour_start) AS last_hour
    FROM report.current_hourly_traffic
    WHERE hour_start < %(as_of)s
    GROUP BY site
    HAVING max(hour_start) >= %(as_of)s - interval '1 day'
), history AS (
    SELECT live.site, live.last_hour, h.hour_start, h.hits, h.bytes_sent, h.client_errors, h.server_errors,
           h.latency_us_sum, h.latency_count
    FROM live
    JOIN report.current_hourly_traffic AS h
        ON h.site = live.site AND h.hour_start <= live.last_hour
       AND h.hour_start > live.last_hour - make_interval(hours => %(hours)s)
), hot AS (
    SELECT site, path FROM (
        SELECT p.site, p.path, row_number() OVER (PARTITION BY p.site ORDER BY sum(p.hits) DESC, p.path) AS place
        FROM live
        JOIN report.current_hourly_page AS p
            ON p.site = live.site AND p.hour_start <= live.last_hour
           AND p.hour_start > live.last_hour - interval '1 day'
        GROUP BY p.site, p.path
    ) AS ranked
    WHERE place <= 20
), large AS (
    SELECT site, country FROM (
        SELECT c.site, c.country, row_number() OVER (PARTITION BY c.site ORDER BY sum(c.hits) DESC, c.country) AS place
        FROM live
        JOIN report.current_hourly_country AS c
            ON c.site = live.site AND c.hour_start <= live.last_hour
           AND c.hour_start > live.last_hour - interval '1 day'
        GROUP BY c.site, c.country
    ) AS ranked
    WHERE place <= 10
)
SELECT history.site, measure.series_kind, '' AS series_name, history.hour_start, history.last_hour, measure.observed
FROM history
CROSS JOIN LATERAL (VALUES ('hits', history.hits::double precision),
                           ('bytes_sent', history.bytes_sent::double precision),
                           ('client_errors', history.client_errors::double precision),
                           ('server_errors', history.server_errors::double precision),
                           ('mean_latency_us',
                            history.latency_us_sum::double precision / nullif(history.latency_count, 0)))
    AS measure (series_kind, observed)
UNION ALL
SELECT history.site, 'page', hot.path, history.hour_start, history.last_hour, coalesce(p.hits, 0)::double precision
FROM history
JOIN hot USING (site)
LEFT JOIN report.current_hourly_page AS p
    ON p.site = history.site AND p.hour_start = history.hour_start AND p.path = hot.path
UNION ALL
SELECT history.site, 'country', large.country, history.hour_start, history.last_hour,
       coalesce(c.hits, 0)::double precision
FROM history
JOIN large USING (site)
LEFT JOIN report.current_hourly_country AS c
    ON c.site = history.site AND c.hour_start = history.hour_start AND c.country = large.country
