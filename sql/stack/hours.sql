-- Reports and seals of some hours. Grain: an hour with traffic among those asked for. Reads only.
-- Parameters: site (text), hours (timestamptz array, starts of UTC hours).
SELECT hour_start, state, revision, seal
FROM report.hour_state
WHERE site = %(site)s AND hour_start = ANY (%(hours)s::timestamptz[])
ORDER BY hour_start
