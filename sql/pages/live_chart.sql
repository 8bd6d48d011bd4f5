-- Hits and errors of a site over time, each with its moving average and what was expected of it. Grain: a step.
-- Parameters: site, minutes (how far back), step_seconds (a multiple of 10), alpha_steps (steps before the first one
-- that the moving average runs in over). Reads only.
--   is_known  counting had caught up to its end and did not stand still: an empty step that is known is a true 0
WITH grid AS (
    SELECT step_start, step_start + make_interval(secs => %(step_seconds)s::integer) AS step_end, lag.closed_until,
           lag.closed_until - make_interval(mins => %(minutes)s::integer) AS shown_from
    FROM report.stream_lag AS lag
    CROSS JOIN LATERAL generate_series(
        date_bin(make_interval(secs => %(step_seconds)s::integer),
                 lag.closed_until - make_interval(mins => %(minutes)s::integer), timestamptz 'epoch')
        - %(alpha_steps)s::integer * make_interval(secs => %(step_seconds)s::integer),
        lag.closed_until - make_interval(secs => %(step_seconds)s::integer),
        make_interval(secs => %(step_seconds)s::integer)) AS step_start
), counted AS (
    SELECT g.step_start, g.step_end, g.shown_from, coalesce(sum(b.hits), 0)::double precision AS hits,
           coalesce(sum(b.client_errors + b.server_errors), 0)::double precision AS errors,
           sum(b.latency_us_sum)::double precision / nullif(sum(b.latency_count), 0) / 1000 AS mean_latency_ms,
           NOT EXISTS (SELECT FROM report.standstill AS s
                       WHERE s.span_start < g.step_end AND s.span_end > g.step_start
                         AND (s.records_lost OR count(b.hits) = 0)) AS is_known
    FROM grid AS g
    LEFT JOIN report.live_bucket AS b
        ON b.site = %(site)s AND b.bucket_start >= g.step_start AND b.bucket_start < g.step_end
    GROUP BY g.step_start, g.step_end, g.shown_from
), averaged AS (
    SELECT c.*, t.alpha, report.ewma(CASE WHEN c.is_known THEN c.hits END, t.alpha) OVER (ORDER BY c.step_start) AS ewma
    FROM counted AS c
    CROSS JOIN report.trend_status AS t
)
SELECT a.step_start, a.step_end, a.is_known, a.alpha,
       CASE WHEN a.is_known THEN a.hits / %(step_seconds)s::integer END AS hits_per_second,
       a.ewma / %(step_seconds)s::integer AS ewma_per_second, a.hits, a.errors, a.mean_latency_ms,
       band.expected / 10 AS expected_per_second, greatest(0, band.band_low) / 10 AS low_per_second,
       band.band_high / 10 AS high_per_second
FROM averaged AS a
LEFT JOIN LATERAL (
    SELECT avg(b.expected) AS expected, avg(b.band_low) AS band_low, avg(b.band_high) AS band_high
    FROM report.trend_band AS b
    WHERE b.site = %(site)s AND b.series_kind = 'hits' AND b.bucket_start >= a.step_start AND b.bucket_start < a.step_end
      AND %(step_seconds)s::integer = 10
) AS band ON true
WHERE a.step_start >= a.shown_from
ORDER BY a.step_start
