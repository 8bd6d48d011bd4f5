-- Hits a second that are expected in the minute after the last closed bucket. Grain: a 10 s bucket.
-- Parameters: site. Reads only.
SELECT bucket_start, expected / 10 AS expected_per_second, greatest(0, band_low) / 10 AS low_per_second,
       band_high / 10 AS high_per_second, history_end
FROM report.live_forecast
WHERE site = %(site)s AND series_kind = 'hits' AND expected IS NOT NULL
ORDER BY bucket_start
