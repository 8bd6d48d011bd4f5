-- Revisions of the hours of a range: what each holds, what moved and why, and its seal as of a moment (null: published
-- later). Grain: hour and revision; changes first, the newest of them first.
-- Parameters: site, from_time, until_time, known_at (only revisions published by then), judged_at (moment of the seal),
-- most (rows, the newest). Reads only.
SELECT v.hour_start, v.revision, v.cause, v.hits_delta, v.made_at, t.hits, t.bytes_sent, t.client_errors, t.server_errors,
       t.visitors, t.visitors_bound, t.p95_ms, s.seal, s.reason AS seal_reason, s.run_id, s.sealed_at,
       s.audit_verdict, s.audited_at
FROM report.hour_revision AS v
JOIN report.hourly_traffic AS t USING (site, hour_start, revision)
LEFT JOIN quality.seal_at(%(site)s, %(from_time)s::timestamptz, %(until_time)s::timestamptz, %(judged_at)s::timestamptz)
    AS s USING (hour_start, revision)
WHERE v.site = %(site)s AND v.hour_start >= %(from_time)s::timestamptz AND v.hour_start < %(until_time)s::timestamptz
  AND v.made_at <= %(known_at)s::timestamptz
ORDER BY (v.revision > 1) DESC, v.made_at DESC
LIMIT %(most)s::integer
