-- Revisions of the hours of a range: what each holds, what moved and why, and its seal. Grain: hour and
-- revision; changes first, the newest of them first.
-- Parameters: site, from_time, until_time, most (rows, the newest). Reads only.
SELECT v.hour_start, v.revision, v.cause, v.hits_delta, v.made_at, t.hits, t.bytes_sent, t.client_errors, t.server_errors,
       t.visitors, t.visitors_bound, t.p95_ms, s.seal, s.reason AS seal_reason, s.run_id, s.sealed_at, s.is_current,
       s.audit_verdict, s.audited_at
FROM report.hour_revision AS v
JOIN report.hourly_traffic AS t USING (site, hour_start, revision)
JOIN quality.revision_seal AS s USING (site, hour_start, revision)
WHERE v.site = %(site)s AND v.hour_start >= %(from_time)s::timestamptz AND v.hour_start < %(until_time)s::timestamptz
ORDER BY (v.revision > 1) DESC, v.made_at DESC
LIMIT %(most)s::integer
