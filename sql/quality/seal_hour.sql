-- The verdict on one hour revision. Parameters: site, hour_start, revision, seal, reason, run_id.
-- A verdict stays: only unchecked is replaced, so that of two runs at once the first one counts.
INSERT INTO quality.hour_seal AS known (site, hour_start, revision, seal, reason, run_id, sealed_at)
VALUES (%(site)s, %(hour_start)s, %(revision)s, %(seal)s, %(reason)s, %(run_id)s, clock_timestamp())
ON CONFLICT (site, hour_start, revision) DO UPDATE
SET seal = excluded.seal, reason = excluded.reason, run_id = excluded.run_id, sealed_at = excluded.sealed_at
WHERE known.seal = 'unchecked'
