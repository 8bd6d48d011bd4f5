-- Publishes the closed days whose sums changed, from the current hour reports; returns the revisions made.
-- Grain: site and UTC day. Parameters: as_of (a day is closed 5 minutes after its end), start, end_ (half-open
-- range of day starts; null = no bound). Runs after reports/lock_publishing in the same transaction.
-- A rerun changes nothing: a day whose sums are the same gets no revision.
WITH day AS (
    SELECT site, date_trunc('day', hour_start, 'UTC') AS day_start, count(*) AS hours,
           sum(hits) AS hits, sum(bytes_sent) AS bytes_sent, sum(client_errors) AS client_errors,
           sum(server_errors) AS server_errors, sum(latency_us_sum) AS latency_us_sum,
           sum(latency_count) AS latency_count, max(ledger_id) AS ledger_id
    FROM report.current_hourly_traffic
    GROUP BY site, date_trunc('day', hour_start, 'UTC')
), published AS (
    INSERT INTO report.daily_traffic (site, day_start, revision, hours, hits, bytes_sent, client_errors,
        server_errors, latency_us_sum, latency_count, ledger_id, made_at)
    SELECT d.site, d.day_start, coalesce(c.revision, 0) + 1, d.hours, d.hits, d.bytes_sent, d.client_errors,
           d.server_errors, d.latency_us_sum, d.latency_count, d.ledger_id, statement_timestamp()
    FROM day AS d
    LEFT JOIN report.current_daily_traffic AS c USING (site, day_start)
    WHERE report.hour_closes_at(d.day_start + interval '23 hours') <= %(as_of)s
      AND (%(start)s::timestamptz IS NULL OR d.day_start >= %(start)s::timestamptz)
      AND (%(end_)s::timestamptz IS NULL OR d.day_start < %(end_)s::timestamptz)
      AND (d.hours, d.hits, d.bytes_sent, d.client_errors, d.server_errors, d.latency_us_sum, d.latency_count)
          IS DISTINCT FROM
          (c.hours, c.hits, c.bytes_sent, c.client_errors, c.server_errors, c.latency_us_sum, c.latency_count)
    RETURNING site, day_start, revision, hours, hits
)
SELECT p.site, p.day_start, p.revision, p.hours, p.hits - coalesce(c.hits, 0) AS hits_delta
FROM published AS p
LEFT JOIN report.current_daily_traffic AS c USING (site, day_start)
ORDER BY p.day_start, p.site
