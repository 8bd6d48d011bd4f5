-- Facts about each given hour revision. Grain: hour (its place in the arrays, from 0).
-- Parameters: sites, hour_starts, revisions (arrays of the same length). Reads only.
-- Run it in one REPEATABLE READ transaction with quality/hour_cells, so that both see the same moment.
WITH hour AS (
    SELECT asked.place - 1 AS hour, asked.site, asked.hour_start, asked.revision, t.last_ledger_id AS touched_ledger_id,
           c.ledger_id AS checked_ledger_id
    FROM unnest(%(sites)s::text[], %(hour_starts)s::timestamptz[], %(revisions)s::integer[])
        WITH ORDINALITY AS asked (site, hour_start, revision, place)
    JOIN stream.touched_hour AS t USING (site, hour_start)
    JOIN report.hour_checked AS c USING (site, hour_start, revision)
), bucket AS (
    SELECT h.hour, sum(page.rows)::bigint AS rows, sum(page.nulls)::bigint AS nulls,
           sum(page.out_of_range)::bigint AS out_of_range, sum(page.off_grid)::bigint AS off_grid
    FROM (SELECT DISTINCT hour_start FROM hour) AS span
    CROSS JOIN LATERAL (
        SELECT b.page_id, count(*) AS rows,
               count(*) FILTER (WHERE num_nulls(b.hits, b.bytes_sent, b.latency_us_sum, b.latency_count, b.country,
                                                b.status_class) > 0) AS nulls,
               count(*) FILTER (WHERE b.hits < 1 OR b.bytes_sent < 0 OR b.latency_us_sum < 0
                                   OR b.latency_count NOT BETWEEN 0 AND b.hits) AS out_of_range,
               count(*) FILTER (WHERE extract(epoch FROM b.bucket_start) %% 10 <> 0) AS off_grid
        FROM stream.traffic_bucket AS b
        WHERE b.bucket_start >= span.hour_start AND b.bucket_start < span.hour_start + interval '1 hour'
        GROUP BY b.page_id
    ) AS page
    JOIN stream.page AS p USING (page_id)
    JOIN hour AS h ON h.site = p.site AND h.hour_start = span.hour_start
    GROUP BY h.hour
), published AS (
    SELECT hour, count(*) AS rows,
           count(*) FILTER (WHERE num_nulls(r.key, r.hits, r.bytes_sent, r.latency_us_sum, r.latency_count) > 0) AS nulls,
           count(*) FILTER (WHERE r.hits < 1 OR r.bytes_sent < 0 OR r.latency_us_sum < 0
                               OR r.latency_count NOT BETWEEN 0 AND r.hits) AS out_of_range
    FROM hour
    JOIN (
        SELECT site, hour_start, revision, '' AS key, hits, bytes_sent, latency_us_sum, latency_count
        FROM report.hourly_traffic
        UNION ALL
        SELECT site, hour_start, revision, path, hits, bytes_sent, latency_us_sum, latency_count
        FROM report.hourly_page
        UNION ALL
        SELECT site, hour_start, revision, country, hits, bytes_sent, latency_us_sum, latency_count
        FROM report.hourly_country
        UNION ALL
        SELECT site, hour_start, revision, status_class::text, hits, bytes_sent, latency_us_sum, latency_count
        FROM report.hourly_status
    ) AS r USING (site, hour_start, revision)
    GROUP BY hour
), dimension AS (
    -- Dimensions of which every line has a value: how many do not add up to the hour's hits.
    SELECT h.hour, count(*) FILTER (WHERE added.hits IS DISTINCT FROM r.hits) AS off
    FROM hour AS h
    JOIN report.hourly_traffic AS r USING (site, hour_start, revision)
    CROSS JOIN (VALUES ('agent_rule'), ('browser'), ('os'), ('device'), ('referrer_class'), ('referrer'), ('method'),
                       ('protocol'), ('host'), ('status')) AS every_line (dimension)
    LEFT JOIN LATERAL (
        SELECT sum(d.hits) AS hits
        FROM report.hourly_dimension AS d
        WHERE (d.site, d.hour_start, d.revision) = (h.site, h.hour_start, h.revision)
          AND d.dimension = every_line.dimension
    ) AS added ON true
    GROUP BY h.hour
), histogram AS (
    -- Pages, and the hour itself (path empty), whose histogram holds another number of latencies than were counted.
    SELECT hour, count(*) FILTER (WHERE coalesce(l.count, 0) <> coalesce(c.latency_count, 0)) AS off
    FROM (
        SELECT h.hour, r.path, r.latency_count
        FROM hour AS h JOIN report.hourly_page AS r USING (site, hour_start, revision)
        UNION ALL
        SELECT h.hour, '', r.latency_count
        FROM hour AS h JOIN report.hourly_traffic AS r USING (site, hour_start, revision)
    ) AS c
    FULL JOIN (
        SELECT h.hour, r.path, (SELECT sum(part) FROM unnest(r.counts) AS part) AS count
        FROM hour AS h JOIN report.hourly_latency AS r USING (site, hour_start, revision)
    ) AS l USING (hour, path)
    GROUP BY hour
), streamed_bin AS (
    SELECT h.hour, p.path, page.bin, page.count, page.latency_us_max
    FROM (SELECT DISTINCT hour_start FROM hour) AS span
    CROSS JOIN LATERAL (
        SELECT b.page_id, part.bin, sum(part.count) AS count, max(b.latency_us_max) AS latency_us_max
        FROM stream.latency_bin AS b
        CROSS JOIN LATERAL unnest(b.bins, b.counts) AS part (bin, count)
        WHERE b.bucket_start >= span.hour_start AND b.bucket_start < span.hour_start + interval '1 hour'
        GROUP BY b.page_id, part.bin
    ) AS page
    JOIN stream.page AS p USING (page_id)
    JOIN hour AS h ON (h.site, h.hour_start) = (p.site, span.hour_start)
), bin AS (
    -- Bins of a page that hold other numbers in the report than the stream counted; bin -2 stands for its maximum.
    SELECT hour, count(*) FILTER (WHERE s.count IS DISTINCT FROM r.count) AS off
    FROM (
        SELECT hour, path, bin, count FROM streamed_bin
        UNION ALL
        SELECT hour, path, -2, max(latency_us_max) FROM streamed_bin GROUP BY hour, path
    ) AS s
    FULL JOIN (
        SELECT h.hour, r.path, part.bin, part.count
        FROM hour AS h
        JOIN report.hourly_latency AS r USING (site, hour_start, revision)
        CROSS JOIN LATERAL (SELECT * FROM unnest(r.bins, r.counts) UNION ALL SELECT -2, r.latency_us_max)
            AS part (bin, count)
        WHERE r.path <> ''
    ) AS r USING (hour, path, bin)
    GROUP BY hour
), sketch AS (
    SELECT h.hour, 'stream' AS side, v.key_id, v.agent_class, v.sketch, NULL::bigint AS visitors
    FROM hour AS h
    JOIN stream.visitor_sketch AS v
        ON v.site = h.site AND v.minute_start >= h.hour_start AND v.minute_start < h.hour_start + interval '1 hour'
    UNION ALL
    SELECT h.hour, 'report', v.key_id, v.agent_class, v.sketch, v.visitors
    FROM hour AS h
    JOIN report.hourly_visitor AS v USING (site, hour_start, revision)
), united AS (
    SELECT s.hour, s.side, s.key_id, s.theta, count(DISTINCT held.hash) AS hashes
    FROM (SELECT hour, side, key_id, sketch, min(report.theta(sketch)) OVER (PARTITION BY hour, side, key_id) AS theta
          FROM sketch) AS s
    LEFT JOIN LATERAL unnest(report.theta_hashes(s.sketch)) AS held (hash) ON held.hash < s.theta
    GROUP BY s.hour, s.side, s.key_id, s.theta
), visitor AS (
    SELECT hour,
           count(*) FILTER (WHERE side = 'stream') AS stream_keys,
           sum(report.visitor_estimate(hashes, theta)) FILTER (WHERE side = 'stream') AS stream_visitors,
           sum(report.visitor_bound(hashes, theta)) FILTER (WHERE side = 'stream') AS stream_bound,
           count(*) FILTER (WHERE side = 'report') AS report_keys,
           sum(report.visitor_estimate(hashes, theta)) FILTER (WHERE side = 'report') AS report_visitors
    FROM united
    GROUP BY hour
), class AS (
    -- Classes whose published number is not what their sketch says.
    SELECT hour, count(*) FILTER (
               WHERE visitors <> report.visitor_estimate(cardinality(report.theta_hashes(sketch)), report.theta(sketch))
           ) AS off
    FROM sketch
    WHERE side = 'report'
    GROUP BY hour
), step AS (
    SELECT ledger_id, topic_id, kafka_partition, lower(offsets) AS from_offset,
           lag(upper(offsets)) OVER (PARTITION BY topic_id, kafka_partition ORDER BY lower(offsets)) AS expected_offset
    FROM stream.ledger
), gap AS MATERIALIZED (
    -- Offsets between two neighbours of the ledger that are not listed as lost; the later one names the gap.
    SELECT step.ledger_id
    FROM step
    WHERE step.expected_offset < step.from_offset
      AND NOT EXISTS (
          SELECT
          FROM stream.lost_range AS l
          WHERE (l.topic_id, l.kafka_partition) = (step.topic_id, step.kafka_partition)
          HAVING range_agg(l.offsets) @> int8range(step.expected_offset, step.from_offset)
      )
    UNION ALL
    -- A partition whose position is elsewhere than the end of what is counted or lost.
    SELECT 0
    FROM stream.position AS p
    WHERE p.next_offset <> (
        SELECT coalesce(max(upper(ends.offsets)), p.next_offset)
        FROM (SELECT topic_id, kafka_partition, offsets FROM stream.ledger
              UNION ALL SELECT topic_id, kafka_partition, offsets FROM stream.lost_range) AS ends
        WHERE (ends.topic_id, ends.kafka_partition) = (p.topic_id, p.kafka_partition)
    )
)
SELECT h.hour,
       (SELECT count(*) FROM gap WHERE gap.ledger_id <= h.checked_ledger_id) AS ledger_gaps,
       -- How far the stream has come: all that Kafka had received by then is counted. The hour was not touched
       -- since its report (else it waits for a revision), so the report holds all of it, too.
       coalesce(extract(epoch FROM (SELECT l.caught_up_to FROM stream.lease AS l)
           - (h.hour_start + interval '1 hour'))::double precision, -1) AS seconds_past_hour,
       CASE WHEN h.touched_ledger_id > h.checked_ledger_id THEN 1 ELSE 0 END AS waits_for_revision,
       coalesce(b.rows, 0) AS bucket_rows,
       coalesce(b.nulls, 0) AS bucket_nulls,
       coalesce(b.out_of_range, 0) AS bucket_out_of_range,
       coalesce(b.off_grid, 0) AS bucket_off_grid,
       coalesce(p.rows, 0) AS report_rows,
       coalesce(p.nulls, 0) AS report_nulls,
       coalesce(p.out_of_range, 0) AS report_out_of_range,
       coalesce(d.off, 0) AS report_dimensions_off,
       coalesce(g.off, 0) AS report_histograms_off,
       CASE WHEN h.touched_ledger_id <= h.checked_ledger_id THEN coalesce(n.off, 0) END AS report_bins_off,
       coalesce(k.off, 0) + CASE WHEN v.report_keys = 1 AND v.report_visitors IS DISTINCT FROM r.visitors
                                   OR coalesce(v.report_keys, 0) <> 1 AND r.visitors > 0 THEN 1 ELSE 0 END
           AS report_sketches_off,
       -- How far the published number is from the union of the stream's minutes, beyond twice the bounds of both:
       -- a busy hour is that far off by chance once in some 10,000.
       CASE WHEN h.touched_ledger_id <= h.checked_ledger_id AND v.stream_keys = 1 THEN
           greatest(abs(coalesce(r.visitors, -1) - v.stream_visitors)
                    - 2 * (coalesce(r.visitors_bound, 0) + v.stream_bound), 0)
       END::bigint AS visitors_beyond_bounds,
       CASE WHEN h.touched_ledger_id <= h.checked_ledger_id THEN
           extract(epoch FROM r.made_at - greatest(
               report.hour_closes_at(h.hour_start),
               (SELECT l.committed_at FROM stream.ledger AS l WHERE l.ledger_id = h.touched_ledger_id)
           ))::double precision
       END AS report_delay_seconds,
       (r.hits / usual.hits)::double precision AS volume_ratio
FROM hour AS h
LEFT JOIN bucket AS b USING (hour)
LEFT JOIN published AS p USING (hour)
LEFT JOIN dimension AS d USING (hour)
LEFT JOIN histogram AS g USING (hour)
LEFT JOIN bin AS n USING (hour)
LEFT JOIN visitor AS v USING (hour)
LEFT JOIN class AS k USING (hour)
LEFT JOIN report.hourly_traffic AS r USING (site, hour_start, revision)
LEFT JOIN LATERAL (
    -- The same hour of the seven days before; null when fewer than three of them have a report.
    SELECT CASE WHEN count(*) >= 3
                THEN nullif(percentile_cont(0.5) WITHIN GROUP (ORDER BY c.hits), 0) END AS hits
    FROM generate_series(1, 7) AS days
    JOIN report.current_hourly_traffic AS c
        ON c.site = h.site AND c.hour_start = h.hour_start - make_interval(hours => 24 * days)
) AS usual ON true
ORDER BY h.hour
