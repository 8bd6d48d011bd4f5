-- A site that has been silent for long is history: its open incidents end, and it is followed anew when it comes back.
-- Grain: a site. Parameters: site, closed_at (epoch seconds). A rerun changes nothing.
WITH closed AS (
    UPDATE stream.anomaly
    SET state = 'closed', closed_at = greatest(opened_at, to_timestamp(%(closed_at)s))
    WHERE site = %(site)s AND state = 'open'
)
DELETE FROM stream.followed_site WHERE site = %(site)s
