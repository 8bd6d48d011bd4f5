-- Pages of the batch that the dictionary lacks. Grain: a page. Parameters: none (reads traffic_delta).
-- Looks before it inserts: ON CONFLICT alone would use up a page_id for every known page of every batch.
INSERT INTO stream.page (site, path)
SELECT DISTINCT delta.site, delta.path
FROM pg_temp.traffic_delta AS delta
WHERE NOT EXISTS (SELECT FROM stream.page AS known WHERE known.site = delta.site AND known.path = delta.path)
