-- The next minute of a site. Grain: a site. Parameters: site, history_end (epoch seconds), steps, series_ids,
-- expected_values, band_lows, band_highs. A rerun writes the same.
INSERT INTO stream.live_forecast (site, history_end, steps, series_ids, expected_values, band_lows, band_highs)
VALUES (%(site)s, to_timestamp(%(history_end)s), %(steps)s, %(series_ids)s, %(expected_values)s::double precision[],
        %(band_lows)s::double precision[], %(band_highs)s::double precision[])
ON CONFLICT (site) DO UPDATE
SET history_end = excluded.history_end, steps = excluded.steps, series_ids = excluded.series_ids,
    expected_values = excluded.expected_values, band_lows = excluded.band_lows, band_highs = excluded.band_highs
