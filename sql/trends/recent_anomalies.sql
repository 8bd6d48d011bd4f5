-- Incidents that are open, or young enough for late lines to dissolve. Grain: an incident.
-- Parameters: since. A rerun reads again.
SELECT anomaly_id, site, series_kind, series_name, extract(epoch FROM started_at)::bigint AS started_s,
       extract(epoch FROM opened_at)::bigint AS opened_s, window_seconds, state, direction, band_low, band_high, peak,
       head_id
FROM stream.anomaly
WHERE state = 'open' OR (state = 'closed' AND opened_at >= %(since)s)
