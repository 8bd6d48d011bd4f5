-- Deletes the bands of buckets that are older than so many days; incidents keep theirs. Grain: a site and bucket.
-- Parameters: as_of, days. A rerun deletes nothing more.
DELETE FROM stream.trend_bucket WHERE bucket_start < %(as_of)s - make_interval(days => %(days)s)
