-- Pages of the batch that have no row of their own. Grain: site, day (of the epoch) and page.
-- Parameters: none (reads new_value, after stream/forget_admitted). Reads only.
SELECT site, (extract(epoch FROM day_start) / 86400)::bigint AS day, value
FROM pg_temp.new_value
WHERE dimension = 'page'
