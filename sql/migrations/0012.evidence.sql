-- depends: 0008b.report-ranges
-- From a number back to its lines, and what may be deleted when it is old.

SET LOCAL ROLE footfall_owner;

CREATE FUNCTION report.evidence(site text, hour_start timestamptz)
RETURNS TABLE (
    topic text, topic_id uuid, kafka_partition integer, from_offset bigint, until_offset bigint,
    batches bigint, consumed bigint, accepted bigint, rejected bigint, duplicate bigint
)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT t.topic, o.topic_id, o.kafka_partition, lower(span), upper(span),
           l.batches, l.consumed, l.accepted, l.rejected, l.duplicate
    FROM stream.hour_offsets AS o
    JOIN stream.topic AS t USING (topic_id)
    CROSS JOIN LATERAL unnest(o.offset_ranges) AS span
    CROSS JOIN LATERAL (
        SELECT count(*) AS batches, coalesce(sum(b.consumed), 0)::bigint AS consumed,
               coalesce(sum(b.accepted), 0)::bigint AS accepted, coalesce(sum(b.rejected), 0)::bigint AS rejected,
               coalesce(sum(b.duplicate), 0)::bigint AS duplicate
        FROM stream.ledger AS b
        WHERE b.topic_id = o.topic_id AND b.kafka_partition = o.kafka_partition AND b.offsets && span
    ) AS l
    WHERE o.hour_start = evidence.hour_start
      AND EXISTS (
          SELECT FROM stream.touched_hour AS h
          WHERE h.site = evidence.site AND h.hour_start = evidence.hour_start
      )
    ORDER BY o.topic_id, o.kafka_partition, lower(span)
$$;
COMMENT ON FUNCTION report.evidence(text, timestamptz) IS 'Where in Kafka the accepted records of a site''s hour stand, among others: offsets [from_offset, until_offset), with what became of all records of the batches that read there. No row: the site has no traffic in that hour. make evidence shows the records.';

REVOKE ALL ON FUNCTION report.evidence(text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION report.evidence(text, timestamptz) TO footfall_reporter, footfall_reader;

-- What is old may go, but never so that a later line could make a report wrong: only hours whose report is right and
-- has been left alone since a moment, and what is gone is written down. The job's role may call these functions and
-- may delete nothing itself. Each takes the lease's row, so that no batch is written meanwhile; none touches what
-- was settled less than a week ago, whatever it is asked.

CREATE TABLE stream.expired_detail (
    detail         text NOT NULL CHECK (detail IN ('10 seconds', 'visits', 'sketches')),
    site           text NOT NULL,
    period_start   timestamptz NOT NULL,
    last_ledger_id bigint NOT NULL,
    expired_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (detail, site, period_start)
);
COMMENT ON TABLE stream.expired_detail IS 'What was deleted because it was old. Reports of these periods stay as they were last published, but for sums, which later lines still correct.';
COMMENT ON COLUMN stream.expired_detail.detail IS '10 seconds: an hour''s buckets and histograms are summed up in its first bucket; visits: a day''s visits are deleted; sketches: an hour''s sketches are deleted.';
COMMENT ON COLUMN stream.expired_detail.site IS 'Which site.';
COMMENT ON COLUMN stream.expired_detail.period_start IS 'Start of the UTC hour, or of the UTC day of visits.';
COMMENT ON COLUMN stream.expired_detail.last_ledger_id IS 'Last ledger row whose batch had added to it by then.';
COMMENT ON COLUMN stream.expired_detail.expired_at IS 'When it was deleted.';

CREATE FUNCTION stream.settled_hours(settled_before timestamptz)
RETURNS TABLE (site text, hour_start timestamptz, last_ledger_id bigint)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT t.site, t.hour_start, t.last_ledger_id
    FROM stream.touched_hour AS t
    JOIN report.hour_checked AS h USING (site, hour_start)
    WHERE h.ledger_id >= t.last_ledger_id
      AND h.checked_at < least(settled_before, now() - interval '7 days')
$$;
COMMENT ON FUNCTION stream.settled_hours(timestamptz) IS 'Hours whose report includes every line, and has since before a moment (at least a week ago).';

CREATE FUNCTION stream.compact_hours(settled_before timestamptz, most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    old_hour timestamptz;
    done integer := 0;
BEGIN
    PERFORM FROM stream.lease WHERE only_row FOR UPDATE;
    FOR old_hour IN
        -- An hour's buckets are those of all sites. The newest hour of each site stays: the live views show it.
        SELECT t.hour_start
        FROM stream.touched_hour AS t
        LEFT JOIN stream.settled_hours(settled_before) AS s USING (site, hour_start)
        LEFT JOIN stream.expired_detail AS e
            ON e.detail = '10 seconds' AND e.site = t.site AND e.period_start = t.hour_start
        LEFT JOIN (SELECT site, max(hour_start) AS newest FROM stream.touched_hour GROUP BY site) AS n
            ON n.site = t.site AND n.newest = t.hour_start
        GROUP BY t.hour_start
        HAVING bool_and(s.site IS NOT NULL AND n.site IS NULL)
           AND bool_or(e.last_ledger_id IS NULL OR e.last_ledger_id < t.last_ledger_id)
        ORDER BY t.hour_start
        LIMIT most
    LOOP
        WITH fine AS (
            DELETE FROM stream.traffic_bucket
            WHERE bucket_start >= old_hour AND bucket_start < old_hour + interval '1 hour'
            RETURNING *
        )
        INSERT INTO stream.traffic_bucket (bucket_start, page_id, country, status_class, agent_class, hits, bytes_sent,
                                           latency_us_sum, latency_count)
        SELECT old_hour, page_id, country, status_class, agent_class, sum(hits), sum(bytes_sent), sum(latency_us_sum),
               sum(latency_count)
        FROM fine
        GROUP BY page_id, country, status_class, agent_class;

        WITH fine AS (
            DELETE FROM stream.latency_bin
            WHERE bucket_start >= old_hour AND bucket_start < old_hour + interval '1 hour'
            RETURNING *
        ), bin AS (
            SELECT f.page_id, each.bin, sum(each.lines)::bigint AS lines
            FROM fine AS f CROSS JOIN LATERAL unnest(f.bins, f.counts) AS each (bin, lines)
            GROUP BY f.page_id, each.bin
        ), histogram AS (
            SELECT page_id, array_agg(bin ORDER BY bin) AS bins, array_agg(lines ORDER BY bin) AS counts
            FROM bin GROUP BY page_id
        )
        INSERT INTO stream.latency_bin (bucket_start, page_id, bins, counts, latency_us_max)
        SELECT old_hour, h.page_id, h.bins, h.counts, m.latency_us_max
        FROM histogram AS h
        JOIN (SELECT page_id, max(latency_us_max) AS latency_us_max FROM fine GROUP BY page_id) AS m USING (page_id);

        INSERT INTO stream.expired_detail (detail, site, period_start, last_ledger_id)
        SELECT '10 seconds', site, hour_start, last_ledger_id FROM stream.touched_hour WHERE hour_start = old_hour
        ON CONFLICT (detail, site, period_start) DO UPDATE
        SET last_ledger_id = excluded.last_ledger_id, expired_at = excluded.expired_at;
        done := done + 1;
    END LOOP;
    RETURN done;
END
$$;
COMMENT ON FUNCTION stream.compact_hours(timestamptz, integer) IS 'Sums up the buckets and histograms of settled hours in their first bucket, at most so many hours; every sum stays the same and later lines still add to it. Returns the number of hours.';

CREATE FUNCTION stream.expire_visits(settled_before timestamptz, most integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    old_day record;
    deleted bigint := 0;
    rows bigint;
BEGIN
    PERFORM FROM stream.lease WHERE only_row FOR UPDATE;
    FOR old_day IN
        SELECT t.site, d.day_start, max(t.last_ledger_id) AS last_ledger_id
        FROM stream.touched_hour AS t
        CROSS JOIN LATERAL (SELECT date_trunc('day', t.hour_start, 'UTC') AS day_start) AS d
        LEFT JOIN stream.settled_hours(settled_before) AS s ON s.site = t.site AND s.hour_start = t.hour_start
        WHERE EXISTS (
            SELECT FROM stream.visit AS v
            WHERE v.site = t.site AND v.started_at >= d.day_start AND v.started_at < d.day_start + interval '24 hours'
        ) AND EXISTS (
            SELECT FROM report.visit_revision AS r WHERE r.site = t.site AND r.day_start = d.day_start
        )
        GROUP BY t.site, d.day_start
        HAVING bool_and(s.site IS NOT NULL)
        ORDER BY d.day_start
        LIMIT most
    LOOP
        DELETE FROM stream.visit AS v
        WHERE v.site = old_day.site AND v.started_at >= old_day.day_start
          AND v.started_at < old_day.day_start + interval '24 hours';
        GET DIAGNOSTICS rows = ROW_COUNT;
        deleted := deleted + rows;
        DELETE FROM stream.own_row AS o WHERE o.site = old_day.site AND o.day_start = old_day.day_start;
        INSERT INTO stream.expired_detail (detail, site, period_start, last_ledger_id)
        VALUES ('visits', old_day.site, old_day.day_start, old_day.last_ledger_id)
        ON CONFLICT (detail, site, period_start) DO UPDATE
        SET last_ledger_id = excluded.last_ledger_id, expired_at = excluded.expired_at;
    END LOOP;
    RETURN deleted;
END
$$;
COMMENT ON FUNCTION stream.expire_visits(timestamptz, integer) IS 'Deletes the visits of settled days and the lists of what had a row of its own on them, at most so many days. Returns the number of visits.';

CREATE FUNCTION stream.expire_sketches(settled_before timestamptz, most integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    old_hour record;
    deleted bigint := 0;
    rows bigint;
BEGIN
    PERFORM FROM stream.lease WHERE only_row FOR UPDATE;
    FOR old_hour IN
        SELECT s.site, s.hour_start, s.last_ledger_id
        FROM stream.settled_hours(settled_before) AS s
        WHERE EXISTS (
            SELECT FROM stream.visitor_sketch AS k
            WHERE k.site = s.site AND k.minute_start >= s.hour_start
              AND k.minute_start < s.hour_start + interval '1 hour'
        )
        ORDER BY s.hour_start
        LIMIT most
    LOOP
        DELETE FROM stream.visitor_sketch AS k
        WHERE k.site = old_hour.site AND k.minute_start >= old_hour.hour_start
          AND k.minute_start < old_hour.hour_start + interval '1 hour';
        GET DIAGNOSTICS rows = ROW_COUNT;
        deleted := deleted + rows;
        INSERT INTO stream.expired_detail (detail, site, period_start, last_ledger_id)
        VALUES ('sketches', old_hour.site, old_hour.hour_start, old_hour.last_ledger_id)
        ON CONFLICT (detail, site, period_start) DO UPDATE
        SET last_ledger_id = excluded.last_ledger_id, expired_at = excluded.expired_at;
    END LOOP;
    RETURN deleted;
END
$$;
COMMENT ON FUNCTION stream.expire_sketches(timestamptz, integer) IS 'Deletes the visitor sketches of settled hours, at most so many hours; the hours'' reports keep theirs. Returns the number of sketches.';

REVOKE ALL ON FUNCTION stream.settled_hours(timestamptz), stream.compact_hours(timestamptz, integer),
    stream.expire_visits(timestamptz, integer), stream.expire_sketches(timestamptz, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stream.compact_hours(timestamptz, integer), stream.expire_visits(timestamptz, integer),
    stream.expire_sketches(timestamptz, integer) TO footfall_writer;
GRANT SELECT ON stream.expired_detail TO footfall_writer, footfall_reporter;

RESET ROLE;
