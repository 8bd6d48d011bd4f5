-- When the newest report of an hour was published: what was known by then never changes. One row.
-- No parameters. Reads only.
SELECT max(made_at) AS newest_made_at FROM report.hour_revision
