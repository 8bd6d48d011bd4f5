-- Hours the batch added to; a report older than this ledger row is out of date. Grain: site and hour.
-- Parameters: sites, hour_starts (epoch seconds; arrays of the same length), ledger_id.
INSERT INTO stream.touched_hour AS known (site, hour_start, last_ledger_id)
SELECT batch.site, to_timestamp(batch.hour_start), %(ledger_id)s
FROM unnest(%(sites)s::text[], %(hour_starts)s::bigint[]) AS batch (site, hour_start)
ORDER BY 1, 2
ON CONFLICT (site, hour_start) DO UPDATE SET last_ledger_id = excluded.last_ledger_id
