-- Publishes the days that reports/collect_days found, from the current hour reports; returns the revisions made. Grain:
-- site and UTC day. No parameters. Runs after it in its transaction. A rerun changes nothing.
WITH published AS (
    INSERT INTO report.daily_traffic (site, day_start, revision, hours, hits, bytes_sent, client_errors,
        server_errors, latency_us_sum, latency_count, visitors, visitors_bound, p50_ms, p90_ms, p95_ms, p99_ms, max_ms,
        bins, counts, latency_us_max, hour_revisions, ledger_id, made_at)
    SELECT d.site, d.day_start, d.revision, m.hours, m.hits, m.bytes_sent, m.client_errors, m.server_errors,
           m.latency_us_sum, m.latency_count, m.visitors, m.visitors_bound, m.p50_ms, m.p90_ms, m.p95_ms, m.p99_ms,
           m.max_ms, l.bins, l.counts, l.latency_us_max, d.hour_revisions, d.ledger_id, statement_timestamp()
    FROM pg_temp.publishing_day AS d
    CROSS JOIN LATERAL report.traffic_measure(d.site, d.day_start, d.day_start + interval '24 hours') AS m
    CROSS JOIN LATERAL report.range_latency(d.site, d.day_start, d.day_start + interval '24 hours') AS l
    RETURNING site, day_start, revision, hours, hits
)
SELECT p.site, p.day_start, p.revision, p.hours, p.hits - d.hits_before AS hits_delta
FROM published AS p
JOIN pg_temp.publishing_day AS d USING (site, day_start)
ORDER BY p.day_start, p.site
