-- Seals of a site's hours, its newest report, and its incidents. One row.
-- Parameters: site, from_time, until_time (of the hours). Reads only.
SELECT seals.hours, seals.green, seals.amber, seals.red, seals.unchecked, newest.hour_start AS newest_hour_start,
       newest.made_at, incidents.open, incidents.acknowledged, incidents.oldest_opened_at, run.last_finished_at
FROM (
    SELECT count(*) AS hours, count(*) FILTER (WHERE seal = 'green') AS green,
           count(*) FILTER (WHERE seal = 'amber') AS amber, count(*) FILTER (WHERE seal = 'red') AS red,
           count(*) FILTER (WHERE seal = 'unchecked') AS unchecked
    FROM quality.current_seal
    WHERE site = %(site)s AND hour_start >= %(from_time)s::timestamptz AND hour_start < %(until_time)s::timestamptz
) AS seals
LEFT JOIN (
    SELECT hour_start, made_at
    FROM report.hour_revision
    WHERE site = %(site)s
    ORDER BY hour_start DESC, revision DESC
    LIMIT 1
) AS newest ON true
CROSS JOIN (
    SELECT count(*) AS open, count(acknowledged_at) AS acknowledged, min(opened_at) AS oldest_opened_at
    FROM quality.incident
    WHERE site = %(site)s AND closed_at IS NULL
) AS incidents
CROSS JOIN (SELECT max(finished_at) AS last_finished_at FROM quality.run) AS run
