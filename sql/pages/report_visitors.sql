-- Visitors of a range as known at a moment, never added. Grain: a visitor key. Parameters: site, from_time, until_time,
-- known_at. Reads only.
SELECT key_id, visitors, visitors_bound, exact
FROM report.visitors(%(site)s, %(from_time)s::timestamptz, %(until_time)s::timestamptz, %(known_at)s::timestamptz)
