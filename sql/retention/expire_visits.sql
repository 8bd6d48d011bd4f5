-- Deletes the visits of old settled days. Grain: a site's day; returns the number of visits.
-- Parameters: settled_before, most (days). A rerun goes on with the next days, or does nothing.
SELECT stream.expire_visits(%(settled_before)s, %(most)s) AS done
