-- How each check went day by day, for a site. Grain: a check and UTC day of the hours it looked at; a day without a
-- run has no row. Parameters: site, from_time, until_time (of the hours). Reads only.
SELECT suite, expectation, date_bin('1 day', hour_start, timestamptz 'epoch') AS day_start,
       count(*) FILTER (WHERE passed) AS passed, count(*) FILTER (WHERE NOT passed) AS failed
FROM quality.result
WHERE site = %(site)s AND hour_start >= %(from_time)s::timestamptz AND hour_start < %(until_time)s::timestamptz
GROUP BY suite, expectation, day_start
