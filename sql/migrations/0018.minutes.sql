-- depends: 0017.rules-adoption
-- Each revision of an hour keeps its hits by minute: when late lines were from can be seen, and stays to be seen when
-- the 10-second totals are gone.

SET LOCAL ROLE footfall_owner;

CREATE TABLE report.hourly_minute (
    site        text NOT NULL,
    hour_start  timestamptz NOT NULL,
    revision    integer NOT NULL,
    minute_hits integer[] NOT NULL CHECK (array_length(minute_hits, 1) = 60 AND array_position(minute_hits, NULL) IS NULL),
    PRIMARY KEY (site, hour_start, revision),
    FOREIGN KEY (site, hour_start, revision) REFERENCES report.hourly_traffic
);
COMMENT ON TABLE report.hourly_minute IS 'Hits of each site and UTC hour by minute, by revision. A revision has no row when 10-second totals of its hour were gone when it was made, or when it was made before there was this table. Append-only.';
COMMENT ON COLUMN report.hourly_minute.minute_hits IS 'Hits of the 60 minutes, from the first to the last; their sum is the revision''s hits.';

-- Of reports from before this table: those that nothing was added to, so that their minutes are as they were.
INSERT INTO report.hourly_minute (site, hour_start, revision, minute_hits)
SELECT r.site, r.hour_start, r.revision, m.hits
FROM report.hourly_traffic AS r
CROSS JOIN LATERAL (
    SELECT array_agg(coalesce(b.hits, 0) ORDER BY minute) AS hits, sum(b.hits) AS hour_hits
    FROM generate_series(0, 59) AS minute
    LEFT JOIN (
        SELECT mod(extract(epoch FROM bucket_start)::bigint / 60, 60)::integer AS minute, sum(hits)::integer AS hits
        FROM stream.site_bucket
        WHERE site = r.site AND bucket_start >= r.hour_start AND bucket_start < r.hour_start + interval '1 hour'
        GROUP BY 1
    ) AS b USING (minute)
) AS m
WHERE m.hour_hits = r.hits AND r.revision = 1;

-- ---- live: the last minutes one by one
CREATE FUNCTION report.live_minute(site text, start_at timestamptz, end_at timestamptz) RETURNS TABLE (
    minute_start timestamptz, visitors bigint, p95_ms double precision
)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT m.minute_start, coalesce(v.visitors, 0), l.p95_ms
    FROM generate_series(live_minute.start_at, live_minute.end_at - interval '1 minute', interval '1 minute')
        AS m (minute_start)
    CROSS JOIN LATERAL (
        SELECT sum(report.visitor_estimate((length(k.sketch) - 8 * get_byte(k.sketch, 0)) / 8, report.theta(k.sketch)))
            ::bigint AS visitors
        FROM stream.visitor_sketch AS k
        WHERE k.site = live_minute.site AND k.minute_start = m.minute_start
    ) AS v
    CROSS JOIN LATERAL (
        SELECT report.latency_percentile_ms(array_agg(bin.bin ORDER BY bin.bin), array_agg(bin.count ORDER BY bin.bin),
                                            0.95, max(bin.latency_us_max)) AS p95_ms
        FROM (
            SELECT part.bin, sum(part.count)::bigint AS count, max(b.latency_us_max) AS latency_us_max
            FROM stream.latency_bin AS b
            JOIN stream.page AS p USING (page_id)
            CROSS JOIN LATERAL unnest(b.bins, b.counts) AS part (bin, count)
            WHERE p.site = live_minute.site AND b.bucket_start >= m.minute_start
              AND b.bucket_start < m.minute_start + interval '1 minute'
            GROUP BY part.bin
        ) AS bin
    ) AS l
    ORDER BY m.minute_start
$$;
COMMENT ON FUNCTION report.live_minute IS 'Visitors and 95th percentile of latency (ms, within 1 %; null: none was measured) of each whole minute in [start_at, end_at), as counted at this moment. A visitor that changes its agent class within a minute counts twice in it. start_at must be the start of a minute.';

CREATE VIEW report.rules_adoption AS
SELECT ledger_id, rules_version, adopted_at FROM stream.rules_adoption;
COMMENT ON VIEW report.rules_adoption IS 'Each time the stream job began to count by another version of the agents'' rules.';
COMMENT ON COLUMN report.rules_adoption.ledger_id IS 'A number of the ledger''s sequence that no row has: later rows were counted by this version, earlier ones by the version before.';
COMMENT ON COLUMN report.rules_adoption.rules_version IS 'Version of the rules.';
COMMENT ON COLUMN report.rules_adoption.adopted_at IS 'When the job adopted it.';

CALL report.comment_columns();

GRANT SELECT ON report.hourly_minute, report.rules_adoption TO footfall_reporter, footfall_reader;
GRANT INSERT ON report.hourly_minute TO footfall_reporter;
REVOKE ALL ON FUNCTION report.live_minute(text, timestamptz, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION report.live_minute(text, timestamptz, timestamptz) TO footfall_reporter, footfall_reader;

RESET ROLE;
