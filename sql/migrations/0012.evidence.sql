-- depends: 0007.dimensions
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

RESET ROLE;
