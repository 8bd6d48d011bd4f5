-- Finds the closed days of which an hour has a new revision, into a temporary table for reports/publish_days. Grain:
-- site and UTC day. Parameters: as_of (a day is closed 5 minutes after its end), start, end_ (half-open range of day
-- starts; null = no bound). Runs after reports/lock_publishing in the same REPEATABLE READ transaction.
-- A rerun finds nothing: revision numbers only grow, so a day whose sum of them is the same is the same.
CREATE TEMPORARY TABLE publishing_day ON COMMIT DROP AS
WITH day AS MATERIALIZED (
    SELECT site, date_trunc('day', hour_start, 'UTC') AS day_start, sum(revision)::bigint AS hour_revisions,
           max(ledger_id) AS ledger_id
    FROM report.current_hourly_traffic
    GROUP BY site, date_trunc('day', hour_start, 'UTC')
)
SELECT d.site, d.day_start, d.hour_revisions, d.ledger_id, coalesce(c.revision, 0) + 1 AS revision,
       coalesce(c.hits, 0) AS hits_before
FROM day AS d
LEFT JOIN report.current_daily_traffic AS c USING (site, day_start)
WHERE report.hour_closes_at(d.day_start + interval '23 hours') <= %(as_of)s
  AND (%(start)s::timestamptz IS NULL OR d.day_start >= %(start)s::timestamptz)
  AND (%(end_)s::timestamptz IS NULL OR d.day_start < %(end_)s::timestamptz)
  AND d.hour_revisions IS DISTINCT FROM c.hour_revisions
