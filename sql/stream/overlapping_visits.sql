-- Stored visits that the batch's belong together with: no more than 30 minutes apart. Grain: a visit.
-- Parameters: none (reads visit_delta). Reads only. A double holds microseconds since the epoch exactly until 2255.
SELECT DISTINCT known.*
FROM pg_temp.visit_delta AS delta
CROSS JOIN LATERAL (
    SELECT stored.site, stored.key_id, stored.visitor,
           round(date_part('epoch', stored.started_at) * 1000000)::bigint AS started_us,
           round(date_part('epoch', stored.ended_at) * 1000000)::bigint AS ended_us,
           stored.hits, stored.page_views, stored.client_errors, stored.line_class,
           round(date_part('epoch', stored.entry_at) * 1000000)::bigint AS entry_us, stored.entry_path,
           round(date_part('epoch', stored.exit_at) * 1000000)::bigint AS exit_us, stored.exit_path
    FROM stream.visit AS stored
    WHERE stored.site = delta.site AND stored.key_id = delta.key_id AND stored.visitor = delta.visitor
      AND stored.started_at <= timestamptz 'epoch' + (delta.ended_us + 1800000000) * interval '1 microsecond'
      AND stored.ended_at >= timestamptz 'epoch' + (delta.started_us - 1800000000) * interval '1 microsecond'
    OFFSET 0
) AS known
