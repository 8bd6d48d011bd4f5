-- Deletes progress and totals by 10 s that are older than so many days, and samples of processes older than two days:
-- charts go back a week, strips a day, reports have totals of their own. Grain: a 10 s slot, a site and bucket, a 30 s
-- slot and process. Parameters: as_of, days. A rerun deletes nothing more.
WITH totals AS (
    DELETE FROM stream.site_bucket WHERE bucket_start < %(as_of)s - make_interval(days => %(days)s)
), samples AS (
    DELETE FROM stream.process_sample WHERE slot_start < %(as_of)s - interval '2 days'
)
DELETE FROM stream.progress WHERE slot_start < %(as_of)s - make_interval(days => %(days)s)
