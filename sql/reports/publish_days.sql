-- Publishes the closed days of which an hour has a new revision, from the current hour reports; returns the
-- revisions made. Grain: site and UTC day. Parameters: as_of (a day is closed 5 minutes after its end), start, end_
-- (half-open range of day starts; null = no bound). Runs after reports/lock_publishing in the same transaction.
-- A rerun changes nothing: revision numbers only grow, so a day whose sum of them is the same is the same.
WITH day AS MATERIALIZED (
    SELECT site, date_trunc('day', hour_start, 'UTC') AS day_start, sum(revision)::bigint AS hour_revisions,
           max(ledger_id) AS ledger_id
    FROM report.current_hourly_traffic
    GROUP BY site, date_trunc('day', hour_start, 'UTC')
), due AS MATERIALIZED (
    SELECT d.site, d.day_start, d.hour_revisions, d.ledger_id, coalesce(c.revision, 0) + 1 AS revision,
           coalesce(c.hits, 0) AS hits_before
    FROM day AS d
    LEFT JOIN report.current_daily_traffic AS c USING (site, day_start)
    WHERE report.hour_closes_at(d.day_start + interval '23 hours') <= %(as_of)s
      AND (%(start)s::timestamptz IS NULL OR d.day_start >= %(start)s::timestamptz)
      AND (%(end_)s::timestamptz IS NULL OR d.day_start < %(end_)s::timestamptz)
      AND d.hour_revisions IS DISTINCT FROM c.hour_revisions
), published AS (
    INSERT INTO report.daily_traffic (site, day_start, revision, hours, hits, bytes_sent, client_errors,
        server_errors, latency_us_sum, latency_count, visitors, visitors_bound, p50_ms, p90_ms, p95_ms, p99_ms, max_ms,
        hour_revisions, ledger_id, made_at)
    SELECT d.site, d.day_start, d.revision, m.hours, m.hits, m.bytes_sent, m.client_errors, m.server_errors,
           m.latency_us_sum, m.latency_count, m.visitors, m.visitors_bound, m.p50_ms, m.p90_ms, m.p95_ms, m.p99_ms,
           m.max_ms, d.hour_revisions, d.ledger_id, statement_timestamp()
    FROM due AS d
    CROSS JOIN LATERAL report.traffic_measure(d.site, d.day_start, d.day_start + interval '24 hours') AS m
    RETURNING site, day_start, revision, hours, hits
)
SELECT p.site, p.day_start, p.revision, p.hours, p.hits - d.hits_before AS hits_delta
FROM published AS p
JOIN due AS d USING (site, day_start)
ORDER BY p.day_start, p.site
