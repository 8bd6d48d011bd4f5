-- An incident opens. Grain: an incident. Parameters: site, series_kind, series_name, started_s, opened_s (epoch
-- seconds), window_seconds, direction, severity, observed, expected, band_low, band_high, contributors (JSON), head_id.
-- The series and moment are its key, so the same opening written twice breaks; it is part of the bucket's transaction.
INSERT INTO stream.anomaly
    (site, series_kind, series_name, hour_start, started_at, opened_at, window_seconds, state, direction, severity,
     observed, expected, band_low, band_high, peak, contributors, head_id)
VALUES (%(site)s, %(series_kind)s, %(series_name)s, date_trunc('hour', to_timestamp(%(started_s)s), 'UTC'),
        to_timestamp(%(started_s)s), to_timestamp(%(opened_s)s), %(window_seconds)s, 'open', %(direction)s,
        %(severity)s, %(observed)s, %(expected)s, %(band_low)s, %(band_high)s, %(peak)s, %(contributors)s::jsonb,
        %(head_id)s)
RETURNING anomaly_id
