-- When the hours of a range were first published and last changed, as far as was known at a moment. One row.
-- Parameters: site, from_time, until_time, known_at. Reads only.
--   first_made_at   when the last of its first reports was published: from then on all its hours were there
--   newest_made_at  when the newest report of all was published, known at that moment or later
SELECT max(made_at) FILTER (WHERE is_known AND revision = 1) AS first_made_at,
       max(made_at) FILTER (WHERE is_known AND revision > 1) AS changed_at,
       count(*) FILTER (WHERE is_known AND revision > 1) AS changes,
       count(DISTINCT hour_start) FILTER (WHERE is_known AND revision > 1) AS hours_changed, max(made_at) AS newest_made_at
FROM (
    SELECT hour_start, revision, made_at, made_at <= %(known_at)s::timestamptz AS is_known
    FROM report.hour_revision
    WHERE site = %(site)s AND hour_start >= %(from_time)s::timestamptz AND hour_start < %(until_time)s::timestamptz
) AS v
