-- Rejected records of the last hours by reason, with the newest sample of each. Grain: a reason.
-- Parameters: hours (how far back), most (rows). Reads only.
SELECT counted.reason, counted.records, coalesce(newest.received_at, counted.last_hour) AS last_received_at, newest.sample,
       count(*) OVER () AS reasons, sum(counted.records) OVER ()::bigint AS records_all
FROM (
    SELECT reason, sum(records)::bigint AS records, max(received_hour) AS last_hour
    FROM report.rejected_reason
    WHERE received_hour > now() - make_interval(hours => %(hours)s::integer)
    GROUP BY reason
) AS counted
LEFT JOIN LATERAL (
    SELECT s.received_at, s.sample
    FROM report.rejected_sample AS s
    WHERE s.reason = counted.reason AND s.received_at > now() - make_interval(hours => %(hours)s::integer + 1)
    ORDER BY s.received_at DESC
    LIMIT 1
) AS newest ON true
ORDER BY counted.records DESC, counted.reason
LIMIT %(most)s::integer
