-- Sites with traffic, the one with the newest lines first. Grain: a site. Parameters: none. Reads only.
SELECT site, last_bucket_start
FROM report.site
ORDER BY last_bucket_start DESC, site
