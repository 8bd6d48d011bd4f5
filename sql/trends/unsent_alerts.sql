-- Changes of incidents that nobody has taken on to tell, the oldest first. Grain: an incident in its present state.
-- Parameters: run_id (its own failed ones are among them: they surely were not sent). A rerun reads again.
-- Changes older than a day are history: when Airflow was away for long, nobody wants them all at once.
SELECT a.anomaly_id, a.site, a.series_kind, a.series_name, a.started_at, a.opened_at, a.closed_at, a.state, a.direction,
       a.severity, a.window_seconds, a.observed, a.expected, a.band_low, a.band_high, a.peak, a.contributors
FROM report.anomaly AS a
LEFT JOIN report.alert AS t USING (anomaly_id, state)
WHERE a.head_id IS NULL
  AND (t.anomaly_id IS NULL OR (t.dag_run_id = %(run_id)s AND t.failure IS NOT NULL AND t.sent_at IS NULL))
  AND CASE a.state WHEN 'open' THEN a.noticed_at WHEN 'closed' THEN a.closed_at ELSE a.dissolved_at END
      > clock_timestamp() - interval '1 day'
ORDER BY a.opened_at, a.anomaly_id
