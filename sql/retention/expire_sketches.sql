-- Deletes the visitor sketches of old settled hours. Grain: a site's hour; returns the number of sketches.
-- Parameters: settled_before, most (hours). A rerun goes on with the next hours, or does nothing.
SELECT stream.expire_sketches(%(settled_before)s, %(most)s) AS done
