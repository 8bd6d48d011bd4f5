-- Rejected records by reason, the most frequent first. Grain: reason. Parameters: most (number of rows). Reads only.
SELECT reason, sum(records)::bigint AS records, max(received_hour) AS last_received_hour
FROM report.rejected_reason
GROUP BY reason
ORDER BY records DESC, reason
LIMIT %(most)s
