-- Deletes samples of rejected records that are older than so many days; their numbers stay in rejected_count.
-- Grain: a sample. Parameters: as_of, days. A rerun deletes nothing more.
DELETE FROM stream.rejected_record WHERE received_at < %(as_of)s - make_interval(days => %(days)s)
