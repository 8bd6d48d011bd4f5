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
