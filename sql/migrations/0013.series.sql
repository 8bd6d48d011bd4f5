-- depends: 0012.evidence
-- report.series anew: its moving average goes on over standstills of any length before the range that is asked for.

SET LOCAL ROLE footfall_owner;

-- All series of one site at one grain. The moving average runs in over as many known buckets before the range as it
-- takes until what came before weighs less than a double can tell (110 with alpha 0.3): so it is the average from the
-- site's first bucket on, whatever range is asked for, and late lines move it as they move the buckets. Where
-- standstills lie before the range, it begins as many buckets earlier as are unknown in them.
CREATE OR REPLACE FUNCTION report.series(
    of_site text, grain interval, range_start timestamptz, range_end timestamptz,
    most_pages integer DEFAULT 20, most_countries integer DEFAULT 10
)
RETURNS TABLE (series_kind text, series_name text, bucket_start timestamptz, observed double precision,
               is_known boolean, ewma double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog SET work_mem = '32MB' SET jit = off ROWS 20000
AS $$
    WITH setting AS (
        SELECT s.alpha,
               CASE WHEN s.alpha < 1 THEN ceil(-39.2 / ln(1 - s.alpha)) ELSE 1 END AS run_in,
               coalesce(l.caught_up_to, '-infinity') AS caught_up_to
        FROM stream.trend_state AS s CROSS JOIN stream.lease AS l
    ), near AS (
        SELECT s.span_start, least(s.span_end, range_start) AS span_end, s.records_lost
        FROM (
            SELECT s.*, range_start - s.span_end - coalesce(sum(s.span_end - s.span_start) OVER (
                       ORDER BY s.span_end DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), interval '0') AS alive
            FROM stream.standstill AS s WHERE s.span_start < range_start
        ) AS s CROSS JOIN setting
        WHERE s.alive < (setting.run_in + 2) * grain
    ), unknown AS (
        SELECT bin.starts, row_number() OVER (ORDER BY bin.starts DESC) AS place
        FROM (
            SELECT DISTINCT bin.starts
            FROM near CROSS JOIN LATERAL generate_series(
                date_bin(grain, near.span_start, range_start), near.span_end - interval '1 microsecond', grain) AS bin (starts)
            WHERE bin.starts < range_start AND (near.records_lost OR EXISTS (
                SELECT FROM generate_series(
                    greatest(bin.starts, date_bin('10 seconds', near.span_start, range_start)),
                    least(bin.starts + grain, near.span_end) - interval '1 microsecond', '10 seconds') AS ten (starts)
                WHERE NOT EXISTS (
                    SELECT FROM stream.traffic_bucket AS b JOIN stream.page AS p USING (page_id)
                    WHERE b.bucket_start = ten.starts AND p.site = of_site)))
        ) AS bin
    ), run_in AS (
        SELECT setting.run_in + (
            SELECT coalesce(max(u.place), 0) FROM unknown AS u
            WHERE extract(epoch FROM range_start - u.starts) / extract(epoch FROM grain) - u.place < setting.run_in
        ) AS buckets
        FROM setting
    ), span AS (
        SELECT date_bin(grain, greatest(range_start - run_in.buckets * grain, first.bucket_start), range_start) AS starts,
               date_bin(grain, range_end, range_start) AS ends
        FROM run_in
        CROSS JOIN LATERAL (
            SELECT b.bucket_start
            FROM (SELECT min(t.hour_start) AS starts FROM stream.touched_hour AS t WHERE t.site = of_site) AS hour
            JOIN stream.traffic_bucket AS b
                ON b.bucket_start >= hour.starts AND b.bucket_start < hour.starts + interval '1 hour'
            JOIN stream.page AS p ON p.page_id = b.page_id AND p.site = of_site
            ORDER BY b.bucket_start
            LIMIT 1
        ) AS first
    ), cell AS MATERIALIZED (
        SELECT b.bucket_start AS ten, date_bin(grain, b.bucket_start, range_start) AS bin, b.page_id, b.country,
               grouping(b.bucket_start, b.page_id, b.country) AS sums,
               sum(b.hits)::double precision AS hits, sum(b.bytes_sent)::double precision AS bytes_sent,
               coalesce(sum(b.hits) FILTER (WHERE b.status_class = 4), 0)::double precision AS client_errors,
               coalesce(sum(b.hits) FILTER (WHERE b.status_class = 5), 0)::double precision AS server_errors,
               (sum(b.latency_us_sum) / nullif(sum(b.latency_count), 0))::double precision AS mean_latency_us
        FROM span
        JOIN stream.traffic_bucket AS b ON b.bucket_start >= span.starts AND b.bucket_start < span.ends
        JOIN stream.page AS p ON p.page_id = b.page_id AND p.site = of_site
        GROUP BY GROUPING SETS ((b.bucket_start), (date_bin(grain, b.bucket_start, range_start)),
                                (date_bin(grain, b.bucket_start, range_start), b.page_id),
                                (date_bin(grain, b.bucket_start, range_start), b.country))
    ), part AS MATERIALIZED (
        SELECT cell.*, cell.sums || coalesce(cell.page_id::text, cell.country, '') AS place FROM cell WHERE cell.sums > 3
    ), grid AS MATERIALIZED (
        SELECT date_bin(grain, ten.starts, range_start) AS bin,
               bool_and(ten.starts + interval '10 seconds' <= setting.caught_up_to AND NOT EXISTS (
                   SELECT FROM stream.standstill AS s
                   WHERE s.span_start < ten.starts + interval '10 seconds' AND s.span_end > ten.starts
                     AND (s.records_lost OR cell.hits IS NULL))) AS is_known
        FROM setting CROSS JOIN span
        CROSS JOIN LATERAL generate_series(span.starts, span.ends - interval '10 seconds', '10 seconds') AS ten (starts)
        LEFT JOIN cell ON cell.sums = 3 AND cell.ten = ten.starts
        GROUP BY 1
    ), named AS (
        SELECT kind AS series_kind, '' AS series_name, '7' AS place
        FROM unnest(ARRAY['hits', 'bytes_sent', 'client_errors', 'server_errors', 'mean_latency_us']) AS kind
        UNION ALL
        (SELECT 'page', p.path, '5' || p.page_id
         FROM cell JOIN stream.page AS p USING (page_id)
         WHERE cell.sums = 5 AND cell.bin >= range_start
         GROUP BY p.page_id, p.path ORDER BY sum(cell.hits) DESC, p.path LIMIT most_pages)
        UNION ALL
        (SELECT 'country', cell.country, '6' || cell.country
         FROM cell
         WHERE cell.sums = 6 AND cell.bin >= range_start
         GROUP BY cell.country ORDER BY sum(cell.hits) DESC, cell.country LIMIT most_countries)
    ), valued AS (
        SELECT n.series_kind, n.series_name, g.bin, g.is_known,
               CASE n.series_kind WHEN 'bytes_sent' THEN coalesce(c.bytes_sent, 0)
                                  WHEN 'client_errors' THEN coalesce(c.client_errors, 0)
                                  WHEN 'server_errors' THEN coalesce(c.server_errors, 0)
                                  WHEN 'mean_latency_us' THEN c.mean_latency_us
                                  ELSE coalesce(c.hits, 0) END AS observed
        FROM named AS n CROSS JOIN grid AS g
        LEFT JOIN part AS c ON c.bin = g.bin AND c.place = n.place
        WHERE g.is_known OR g.bin >= range_start
    ), averaged AS (
        SELECT v.series_kind, v.series_name, v.bin, v.observed, v.is_known,
               report.ewma(CASE WHEN v.is_known THEN v.observed END, setting.alpha)
                   OVER (PARTITION BY v.series_kind, v.series_name ORDER BY v.bin) AS ewma
        FROM valued AS v CROSS JOIN setting
    )
    SELECT a.series_kind, a.series_name, a.bin, a.observed, a.is_known, a.ewma
    FROM averaged AS a
    WHERE a.bin >= range_start
$$;

RESET ROLE;
