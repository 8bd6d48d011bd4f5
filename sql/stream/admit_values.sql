-- Gives new values a row of their own while there is room, those with most hits first. Grain: as new_value.
-- Parameters: max_pages (a site and day), max_values (a site, day and other dimension). A rerun changes nothing.
-- Paths that were only ever answered 4xx get at most half of the rows: whoever tries random paths pushes out no page.
INSERT INTO stream.own_row (site, day_start, dimension, value)
SELECT ranked.site, ranked.day_start, ranked.dimension, ranked.value
FROM (
    SELECT new.*,
           row_number() OVER (PARTITION BY new.site, new.day_start, new.dimension
                              ORDER BY new.answered DESC, new.hits DESC, new.value) AS place
    FROM pg_temp.new_value AS new
) AS ranked
JOIN (
    SELECT asked.site, asked.day_start, asked.dimension,
           (SELECT count(*) FROM stream.own_row AS own
            WHERE (own.site, own.day_start, own.dimension)
                = (asked.site, asked.day_start, asked.dimension)) AS taken
    FROM (SELECT DISTINCT site, day_start, dimension FROM pg_temp.new_value) AS asked
) AS room USING (site, day_start, dimension)
WHERE room.taken + ranked.place <= CASE
          WHEN ranked.dimension <> 'page' THEN %(max_values)s
          WHEN ranked.answered THEN %(max_pages)s
          ELSE %(max_pages)s / 2
      END
ON CONFLICT DO NOTHING
