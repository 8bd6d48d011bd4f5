-- Sums up the 10-second buckets and histograms of old settled hours in each hour's first bucket. Grain: an hour.
-- Parameters: settled_before, most (hours). A rerun goes on with the next hours, or does nothing.
SELECT stream.compact_hours(%(settled_before)s, %(most)s) AS done
