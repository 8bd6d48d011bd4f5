-- The window that decided an incident as it is counted now, beside what was expected of it. Grain: the incident.
-- Parameters: anomaly_id. A rerun reads again. Also the query that an alert quotes: it holds no words from log lines.
-- What has no line in the window has no row in report.series, and counts 0.
SELECT coalesce(t.observed, 0) AS counted_now, a.observed, a.expected, a.band_low, a.band_high, a.state
FROM report.anomaly AS a
LEFT JOIN LATERAL report.series(a.site, make_interval(secs => a.window_seconds),
    a.opened_at - make_interval(secs => a.window_seconds), a.opened_at, 100000, 1000) AS t
    ON t.series_kind = a.series_kind AND t.series_name = a.series_name
WHERE a.anomaly_id = %(anomaly_id)s
