-- What was expected of a closed bucket. Grain: a site and bucket.
-- Parameters: site, bucket_start (epoch seconds), series_ids, expected_values, band_lows, band_highs (arrays, NaN as null).
-- A bucket is judged once: a second row for it breaks on the primary key.
INSERT INTO stream.trend_bucket (site, bucket_start, series_ids, expected_values, band_lows, band_highs)
VALUES (%(site)s, to_timestamp(%(bucket_start)s), %(series_ids)s, %(expected_values)s::double precision[],
        %(band_lows)s::double precision[], %(band_highs)s::double precision[])
