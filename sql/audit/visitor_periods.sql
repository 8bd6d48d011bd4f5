-- Periods of the visitor keys that reach into the range, and how many keys each has had. Grain: a period.
-- Parameters: start, end_. Reads only.
SELECT period_start, period_end, count(*) AS keys
FROM stream.visitor_key
WHERE period_end > %(start)s AND period_start < %(end_)s
GROUP BY period_start, period_end
ORDER BY period_start
