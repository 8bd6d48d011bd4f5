-- Anomalies of a site that are open, and those closed or dissolved in the last 24 h, open ones first.
-- Grain: an incident (its parts are not listed). Parameters: site, most (rows). Reads only.
SELECT a.anomaly_id, a.series_kind, a.series_name, a.started_at, a.opened_at, a.closed_at, a.dissolved_at, a.state,
       a.direction, a.severity, a.window_seconds, a.observed, a.expected, a.band_low, a.band_high, a.peak, a.contributors,
       a.hour_start
FROM report.anomaly AS a
WHERE a.site = %(site)s AND a.head_id IS NULL
  AND (a.state = 'open' OR coalesce(a.dissolved_at, a.closed_at) > now() - interval '24 hours')
ORDER BY (a.state = 'open') DESC, a.opened_at DESC
LIMIT %(most)s::integer
