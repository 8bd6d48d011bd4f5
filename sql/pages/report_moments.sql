-- A range as known at one moment beside another. Grain: a moment, first the one it is compared with.
-- Parameters: site, from_time, until_time, known_at, against. Reads only.
SELECT m.place, m.moment, r.hours, r.hits, r.bytes_sent, r.client_errors, r.server_errors, r.visitors, r.visitors_bound, r.p95_ms
FROM (VALUES (1, %(against)s::timestamptz), (2, %(known_at)s::timestamptz)) AS m (place, moment)
CROSS JOIN LATERAL report.traffic_measure(%(site)s, %(from_time)s::timestamptz, %(until_time)s::timestamptz, m.moment) AS r
ORDER BY m.place
