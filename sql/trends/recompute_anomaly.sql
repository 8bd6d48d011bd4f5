-- The window that decided an incident as it is counted now, beside what was expected of it. Grain: the incident.
-- Parameters: anomaly_id. A rerun reads again. Also the query that an alert quotes: it holds no words from log lines.
SELECT t.observed AS counted_now, a.observed, a.expected, a.band_low, a.band_high, a.state
FROM report.anomaly AS a
CROSS JOIN LATERAL report.series(a.site, make_interval(secs => a.window_seconds),
    a.opened_at - make_interval(secs => a.window_seconds), a.opened_at, 100000, 1000) AS t
WHERE a.anomaly_id = %(anomaly_id)s AND t.series_kind = a.series_kind AND t.series_name = a.series_name
