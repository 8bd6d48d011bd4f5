-- Hits of a range by hour or day, and which revision added them, as known at a moment. Grain: a step of step_hours that
-- has a report, and a revision of its hours: 1 the first reports, 2 the second ones, 3 all later ones. The sum over a
-- step is its hits. Negative: taken back. hours: how many hours of the step are in it; at revision 1 all that have a
-- report. Parameters: site, from_time, until_time, known_at, step_hours. Reads only.
SELECT date_bin(make_interval(hours => %(step_hours)s::integer), h.hour_start, timestamptz 'epoch') AS step_start,
       least(v.revision, 3) AS revision, sum(v.hits_delta)::bigint AS hits_added,
       count(DISTINCT h.hour_start) AS hours
FROM report.known_hour(%(site)s, %(from_time)s::timestamptz, %(until_time)s::timestamptz, %(known_at)s::timestamptz) AS h
JOIN report.hour_revision AS v ON v.site = %(site)s AND v.hour_start = h.hour_start AND v.revision <= h.revision
GROUP BY 1, 2
ORDER BY 1, 2
