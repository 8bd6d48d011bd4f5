-- Sites that are followed live, and how far each has been judged: the bucket to go on with, and its series.
-- Grain: a site. Parameters: none. A rerun reads again.
SELECT f.site, extract(epoch FROM f.followed_since)::bigint / 10 AS followed_since,
       extract(epoch FROM last.bucket_start)::bigint / 10 AS last_judged,
       (SELECT extract(epoch FROM max(t.hour_start))::bigint / 10
        FROM stream.touched_hour AS t WHERE t.site = f.site) AS last_hour_bucket, coalesce(last.series_ids, '{}') AS series_ids
FROM stream.followed_site AS f
LEFT JOIN LATERAL (
    SELECT b.bucket_start, b.series_ids
    FROM stream.trend_bucket AS b
    WHERE b.site = f.site AND b.bucket_start >= f.followed_since
    ORDER BY b.bucket_start DESC
    LIMIT 1
) AS last ON true
