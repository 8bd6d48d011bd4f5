-- The dictionary of series. Grain: a series. Parameters: none. A rerun reads again.
SELECT series_id, site, series_kind, series_name FROM stream.trend_series
