-- A forecast of one hour, kept as it was made. Grain: a series, end of history and hour.
-- Parameters: site, series_kind, series_name, history_end, hour_start (epoch seconds), expected, band_low, band_high,
-- seasonal_naive. A rerun changes nothing: the first one from the same history stays.
INSERT INTO report.forecast
    (site, series_kind, series_name, history_end, hour_start, expected, band_low, band_high, seasonal_naive)
VALUES (%(site)s, %(series_kind)s, %(series_name)s, to_timestamp(%(history_end)s), to_timestamp(%(hour_start)s),
        %(expected)s, %(band_low)s, %(band_high)s, %(seasonal_naive)s)
ON CONFLICT (site, series_kind, series_name, history_end, hour_start) DO NOTHING
