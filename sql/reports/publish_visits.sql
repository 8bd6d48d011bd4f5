-- Publishes the visits of the days whose visits have ended, or that ended an hour and a half ago, when they differ from
-- the latest revision; returns the revisions made. Grain: site and UTC day in which the visits began.
-- Parameters: as_of (a visit has ended 35 minutes after its last hit: 30 without a further one, 5 for ordinary
-- delays), start, end_ (half-open range of day starts; null = no bound: then all visits that are still kept).
-- Runs after reports/lock_publishing in the same REPEATABLE READ transaction. A rerun changes nothing.

CREATE TEMPORARY TABLE due_day ON COMMIT DROP AS
SELECT d.site, d.day_start
FROM (
    SELECT site, date_trunc('day', started_at, 'UTC') AS day_start, max(ended_at) AS last_ended_at
    FROM stream.visit
    GROUP BY site, date_trunc('day', started_at, 'UTC')
    UNION ALL
    -- A late line may have joined all visits of a day to those of the day before: none is left, and the report says so.
    SELECT DISTINCT site, day_start, day_start FROM report.visit_revision
) AS d
WHERE (%(start)s::timestamptz IS NULL OR d.day_start >= %(start)s::timestamptz)
  AND (%(end_)s::timestamptz IS NULL OR d.day_start < %(end_)s::timestamptz)
  -- A day whose visits were deleted keeps its last report: what came later is not all of it.
  AND NOT EXISTS (
      SELECT FROM stream.expired_detail AS e
      WHERE e.detail = 'visits' AND e.site = d.site AND e.period_start = d.day_start
  )
GROUP BY d.site, d.day_start
HAVING d.day_start + interval '24 hours 35 minutes' <= %(as_of)s
   AND (max(d.last_ended_at) + interval '35 minutes' <= %(as_of)s
        OR d.day_start + interval '25 hours 30 minutes' <= %(as_of)s);

CREATE TEMPORARY TABLE publishing_visit ON COMMIT DROP AS
SELECT d.site, d.day_start, v.agent_class, v.visits, v.bounces, v.page_views, v.duration_seconds_sum, v.hits
FROM pg_temp.due_day AS d
CROSS JOIN LATERAL report.visits(d.site, d.day_start, d.day_start + interval '24 hours') AS v;

CREATE TEMPORARY TABLE publishing_edge ON COMMIT DROP AS
SELECT d.site, d.day_start, edge.kind, edge.agent_class, edge.path, edge.visits
FROM pg_temp.due_day AS d
CROSS JOIN LATERAL (
    SELECT 'entry' AS kind, agent_class, path, visits
    FROM report.entry_pages(d.site, d.day_start, d.day_start + interval '24 hours')
    UNION ALL
    SELECT 'exit', agent_class, path, visits
    FROM report.exit_pages(d.site, d.day_start, d.day_start + interval '24 hours')
) AS edge;

CREATE TEMPORARY TABLE publishing_day ON COMMIT DROP AS
WITH last AS MATERIALIZED (
    SELECT site, day_start, max(v.revision) AS revision
    FROM pg_temp.due_day
    LEFT JOIN report.visit_revision AS v USING (site, day_start)
    GROUP BY site, day_start
), published_visit AS (
    SELECT site, day_start, r.agent_class, r.visits, r.bounces, r.page_views, r.duration_seconds_sum, r.hits
    FROM last JOIN report.daily_visit AS r USING (site, day_start, revision)
), published_edge AS (
    SELECT site, day_start, 'entry' AS kind, r.agent_class, r.path, r.visits
    FROM last JOIN report.daily_entry_page AS r USING (site, day_start, revision)
    UNION ALL
    SELECT site, day_start, 'exit', r.agent_class, r.path, r.visits
    FROM last JOIN report.daily_exit_page AS r USING (site, day_start, revision)
), moved AS (
    -- A day of nothing but visits of 4xx answers gets a report, too: that there were none.
    SELECT site, day_start FROM last WHERE revision IS NULL
    UNION
    SELECT site, day_start
    FROM ((TABLE pg_temp.publishing_visit EXCEPT TABLE published_visit)
          UNION ALL (TABLE published_visit EXCEPT TABLE pg_temp.publishing_visit)) AS visit
    UNION
    SELECT site, day_start
    FROM ((TABLE pg_temp.publishing_edge EXCEPT TABLE published_edge)
          UNION ALL (TABLE published_edge EXCEPT TABLE pg_temp.publishing_edge)) AS edge
)
SELECT site, day_start, coalesce(last.revision, 0) + 1 AS revision,
       coalesce(now_.visits, 0) AS visits_now, coalesce(before.visits, 0) AS visits_before,
       coalesce(now_.hits, 0) AS hits_now, coalesce(before.hits, 0) AS hits_before
FROM moved
JOIN last USING (site, day_start)
LEFT JOIN (
    SELECT site, day_start, sum(visits)::bigint AS visits, sum(hits)::bigint AS hits
    FROM pg_temp.publishing_visit
    GROUP BY site, day_start
) AS now_ USING (site, day_start)
LEFT JOIN (
    SELECT site, day_start, sum(visits)::bigint AS visits, sum(hits)::bigint AS hits
    FROM published_visit
    GROUP BY site, day_start
) AS before USING (site, day_start);

-- statement_timestamp() is the same in all statements of this file, and later than the wait for the lock.
INSERT INTO report.visit_revision (site, day_start, revision, cause, visits_delta, ledger_id, made_at)
SELECT d.site, d.day_start, d.revision,
       CASE WHEN d.revision = 1 THEN 'first report'
            WHEN EXISTS (
                SELECT FROM stream.touched_hour AS t
                WHERE t.site = d.site AND t.hour_start >= d.day_start
                  AND t.hour_start < d.day_start + interval '24 hours' AND t.last_ledger_id > before.ledger_id
            ) THEN 'late data'
            WHEN d.visits_now = d.visits_before AND d.hits_now > d.hits_before THEN 'visits went on'
            ELSE 'corrected data' END,
       d.visits_now - d.visits_before, (SELECT coalesce(max(ledger_id), 0) FROM stream.ledger), statement_timestamp()
FROM pg_temp.publishing_day AS d
LEFT JOIN report.visit_revision AS before
    ON (before.site, before.day_start, before.revision) = (d.site, d.day_start, d.revision - 1);

INSERT INTO report.daily_visit (site, day_start, revision, agent_class, visits, bounces, page_views,
    duration_seconds_sum, hits)
SELECT site, day_start, d.revision, v.agent_class, v.visits, v.bounces, v.page_views, v.duration_seconds_sum, v.hits
FROM pg_temp.publishing_day AS d
JOIN pg_temp.publishing_visit AS v USING (site, day_start);

INSERT INTO report.daily_entry_page (site, day_start, revision, agent_class, path, visits)
SELECT site, day_start, d.revision, e.agent_class, e.path, e.visits
FROM pg_temp.publishing_day AS d
JOIN pg_temp.publishing_edge AS e USING (site, day_start)
WHERE e.kind = 'entry';

INSERT INTO report.daily_exit_page (site, day_start, revision, agent_class, path, visits)
SELECT site, day_start, d.revision, e.agent_class, e.path, e.visits
FROM pg_temp.publishing_day AS d
JOIN pg_temp.publishing_edge AS e USING (site, day_start)
WHERE e.kind = 'exit';

SELECT r.site, r.day_start, r.revision, r.cause, r.visits_delta
FROM pg_temp.publishing_day AS d
JOIN report.visit_revision AS r USING (site, day_start, revision)
ORDER BY r.day_start, r.site
