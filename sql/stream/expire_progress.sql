-- Deletes progress and totals by 10 s that are older than so many days; charts go back a week, reports have totals of
-- their own. Grain: a 10 s slot, and a site and bucket. Parameters: as_of, days. A rerun deletes nothing more.
WITH totals AS (
    DELETE FROM stream.site_bucket WHERE bucket_start < %(as_of)s - make_interval(days => %(days)s)
)
DELETE FROM stream.progress WHERE slot_start < %(as_of)s - make_interval(days => %(days)s)
