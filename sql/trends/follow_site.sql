-- A site's traffic has reached the present. Grain: a site. Parameters: site, followed_since.
-- A rerun changes nothing.
INSERT INTO stream.followed_site (site, followed_since)
VALUES (%(site)s, to_timestamp(%(followed_since)s))
ON CONFLICT (site) DO NOTHING
