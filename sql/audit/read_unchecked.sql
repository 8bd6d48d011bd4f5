-- Why hours could not be checked, the most frequent reason first. Grain: a reason. Parameters: audit_id. Reads only.
SELECT count(*) AS hours, reason
FROM quality.audit_hour
WHERE audit_id = %(audit_id)s AND verdict = 'unchecked'
GROUP BY reason
ORDER BY 1 DESC, 2
LIMIT 10
