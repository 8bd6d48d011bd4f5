-- Values that have a row of their own, from the day of start until the day of end_. Grain: site, day, dimension, value.
-- Parameters: start, end_. Reads only; copied out, since there may be many.
SELECT site, extract(epoch FROM day_start)::bigint AS day_s, dimension, value,
       (extract(epoch FROM admitted_at) * 1000000)::bigint AS admitted_us
FROM stream.own_row
WHERE day_start >= date_trunc('day', %(start)s::timestamptz, 'UTC') AND day_start < %(end_)s
