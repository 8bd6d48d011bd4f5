-- What was expected of the errors in a site's newest closed 30 s, before they were looked at. Grain: 4xx or 5xx; no row
-- before there is enough history. Parameters: site. Reads only.
SELECT b.series_kind, greatest(0, sum(b.band_low)) AS band_low, sum(b.band_high) AS band_high
FROM report.stream_lag AS lag
JOIN report.trend_band AS b
    ON b.bucket_start >= lag.closed_until - interval '30 seconds' AND b.bucket_start < lag.closed_until
WHERE b.site = %(site)s AND b.series_kind IN ('client_errors', 'server_errors') AND b.series_name = ''
GROUP BY b.series_kind
HAVING count(b.band_high) = 3
ORDER BY b.series_kind
