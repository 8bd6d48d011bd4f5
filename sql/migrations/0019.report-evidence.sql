-- depends: 0018.minutes
-- Evidence of reports: the seal of a revision as it was known at a moment, so that a later verdict does not reach back
-- into a report shown as of then; and the part of the ledger that holds an hour or a day.

SET LOCAL ROLE footfall_owner;

CREATE FUNCTION quality.seal_at(
    site text, start_at timestamptz, end_at timestamptz, moment timestamptz DEFAULT 'infinity'
) RETURNS TABLE (
    hour_start timestamptz, revision integer, seal text, reason text, run_id bigint, sealed_at timestamptz,
    audit_id bigint, audit_verdict text, audited_at timestamptz
)
    LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT r.hour_start, r.revision,
           CASE WHEN a.verdict = 'differs' THEN 'red' ELSE coalesce(s.seal, 'unchecked') END,
           CASE WHEN a.verdict = 'differs' THEN left('audit ' || a.audit_id || ': ' || a.reason
                    || coalesce('; ' || CASE WHEN s.seal IN ('red', 'amber') THEN s.reason END, ''), 500)
                WHEN s.seal IS NOT NULL THEN s.reason
                WHEN r.made_at = max(r.made_at) OVER (PARTITION BY r.hour_start) THEN 'not checked yet'
                ELSE 'a newer revision came before it was checked' END,
           s.run_id, CASE WHEN a.verdict = 'differs' THEN a.audited_at ELSE s.sealed_at END,
           a.audit_id, a.verdict, a.audited_at
    FROM report.hour_revision AS r
    LEFT JOIN quality.hour_seal AS s
        ON s.site = r.site AND s.hour_start = r.hour_start AND s.revision = r.revision AND s.sealed_at <= seal_at.moment
    LEFT JOIN LATERAL (
        SELECT h.audit_id, h.verdict, h.reason, q.finished_at AS audited_at
        FROM quality.audit_hour AS h
        JOIN quality.audit AS q USING (audit_id)
        WHERE h.site = r.site AND h.hour_start = r.hour_start AND h.revision = r.revision AND h.verdict <> 'unchecked'
          AND q.finished_at <= seal_at.moment
        ORDER BY h.audit_id DESC
        LIMIT 1
    ) AS a ON true
    WHERE r.site = seal_at.site AND r.hour_start >= seal_at.start_at AND r.hour_start < seal_at.end_at
      AND r.made_at <= seal_at.moment
$$;
COMMENT ON FUNCTION quality.seal_at IS 'The seal of every revision published by a moment, as quality.revision_seal said then: the worse of what the checks and the latest audit had found. A verdict of unchecked that was replaced later is told as not checked yet.';

-- What became of all records of the batches that read where hours of a site stand in Kafka: each batch once, however
-- many of those hours it holds.
CREATE FUNCTION report.range_ledger(site text, start_at timestamptz, end_at timestamptz) RETURNS TABLE (
    topic_id uuid, kafka_partition integer, from_offset bigint, until_offset bigint, spans bigint, batches bigint,
    consumed bigint, accepted bigint, rejected bigint, duplicate bigint, holes bigint
)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    WITH place AS (
        SELECT o.topic_id, o.kafka_partition, range_agg(span) AS offsets
        FROM stream.hour_offsets AS o
        CROSS JOIN LATERAL unnest(o.offset_ranges) AS span
        WHERE o.hour_start >= range_ledger.start_at AND o.hour_start < range_ledger.end_at
          AND EXISTS (
              SELECT FROM stream.touched_hour AS h
              WHERE h.site = range_ledger.site AND h.hour_start = o.hour_start
          )
        GROUP BY o.topic_id, o.kafka_partition
    ), batch AS (
        SELECT p.topic_id, p.kafka_partition, b.offsets, b.consumed, b.accepted, b.rejected, b.duplicate,
               lead(lower(b.offsets)) OVER (PARTITION BY p.topic_id, p.kafka_partition ORDER BY lower(b.offsets))
                   AS next_offset
        FROM place AS p
        JOIN stream.ledger AS b
            ON b.topic_id = p.topic_id AND b.kafka_partition = p.kafka_partition AND b.offsets && p.offsets
    )
    SELECT p.topic_id, p.kafka_partition, lower(p.offsets), upper(p.offsets),
           (SELECT count(*) FROM unnest(p.offsets)), b.batches, b.consumed, b.accepted, b.rejected, b.duplicate, b.holes
    FROM place AS p
    JOIN (
        SELECT topic_id, kafka_partition, count(*) AS batches, sum(consumed)::bigint AS consumed,
               sum(accepted)::bigint AS accepted, sum(rejected)::bigint AS rejected, sum(duplicate)::bigint AS duplicate,
               count(*) FILTER (WHERE next_offset > upper(offsets) AND NOT EXISTS (
                   SELECT FROM stream.ledger AS n
                   WHERE n.topic_id = batch.topic_id AND n.kafka_partition = batch.kafka_partition
                     AND n.offsets @> upper(batch.offsets)
               )) AS holes
        FROM batch
        GROUP BY topic_id, kafka_partition
    ) AS b USING (topic_id, kafka_partition)
    ORDER BY p.topic_id, p.kafka_partition
$$;
COMMENT ON FUNCTION report.range_ledger IS 'What became of all records of the batches that read where a site''s hours of [start_at, end_at) stand in Kafka, by topic incarnation and partition, each batch once; as counted at this moment. spans: parts that the offsets are in. holes: places between those batches after which no batch goes on; 0 when nothing was left out.';

REVOKE ALL ON FUNCTION report.range_ledger(text, timestamptz, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION report.range_ledger(text, timestamptz, timestamptz) TO footfall_reporter, footfall_reader;

RESET ROLE;
