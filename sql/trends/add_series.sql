-- Adds a series to the dictionary. Grain: a series. Parameters: site, series_kind, series_name.
-- Only called for one that is not there; a second writer at the same time would break on the unique key.
INSERT INTO stream.trend_series (site, series_kind, series_name)
VALUES (%(site)s, %(series_kind)s, %(series_name)s)
RETURNING series_id
