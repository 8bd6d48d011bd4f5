-- Sign of life, and what is wished of the job. Touches nothing when a newer launch holds the lease.
-- Grain: the one row; besides, the 10 s slot of stream.progress and the partitions' ends. Parameters: epoch, state,
-- message, lag_records (null: unknown), last_batch_at, last_batch_seconds, caught_up_to, records_per_second (null: the
-- last one stays), topic_id (null: no ends), partitions and end_offsets (arrays of the same length), memory_bytes (null:
-- not measured).
-- A rerun writes the same with a newer time.
WITH was AS (
    SELECT last_batch_at FROM stream.lease
), beat AS (
    UPDATE stream.lease AS l
    SET heartbeat_at = clock_timestamp(), state = %(state)s, message = %(message)s,
        last_batch_at = coalesce(%(last_batch_at)s, l.last_batch_at),
        last_batch_seconds = coalesce(%(last_batch_seconds)s, l.last_batch_seconds),
        lag_records = %(lag_records)s,
        caught_up_to = coalesce(%(caught_up_to)s, l.caught_up_to),
        records_per_second = coalesce(%(records_per_second)s, l.records_per_second)
    FROM was
    WHERE l.only_row AND l.epoch = %(epoch)s
    RETURNING l.desired_state, l.heartbeat_at, l.caught_up_to,
              l.last_batch_at IS DISTINCT FROM was.last_batch_at AS batch_is_new
), slot AS (
    INSERT INTO stream.progress AS p (slot_start, batch_seconds, lag_records, delay_seconds, memory_bytes)
    SELECT date_bin('10 seconds', heartbeat_at, timestamptz 'epoch'),
           CASE WHEN batch_is_new THEN array_remove(ARRAY[%(last_batch_seconds)s::double precision], NULL)
                ELSE '{}' END,
           %(lag_records)s::bigint, extract(epoch FROM heartbeat_at - caught_up_to)::double precision,
           %(memory_bytes)s::bigint
    FROM beat
    ON CONFLICT (slot_start) DO UPDATE
    SET batch_seconds = p.batch_seconds || excluded.batch_seconds,
        lag_records = greatest(p.lag_records, excluded.lag_records),
        delay_seconds = greatest(p.delay_seconds, excluded.delay_seconds),
        memory_bytes = greatest(p.memory_bytes, excluded.memory_bytes)
), ends AS (
    INSERT INTO stream.partition_end AS e (topic_id, kafka_partition, end_offset, asked_at)
    SELECT %(topic_id)s::uuid, kafka_partition, end_offset, heartbeat_at
    FROM beat, unnest(%(partitions)s::integer[], %(end_offsets)s::bigint[]) AS kafka (kafka_partition, end_offset)
    WHERE %(topic_id)s IS NOT NULL
    ON CONFLICT (topic_id, kafka_partition) DO UPDATE
    SET end_offset = excluded.end_offset, asked_at = excluded.asked_at
)
SELECT desired_state FROM beat
