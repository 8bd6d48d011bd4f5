-- Takes a change on to tell it: returns its row, or none when another run has it. Grain: an incident and state.
-- Parameters: anomaly_id, state, run_id, channel. A rerun by the same run takes it again only after a known failure.
INSERT INTO report.alert AS known (anomaly_id, state, dag_run_id, channel)
VALUES (%(anomaly_id)s, %(state)s, %(run_id)s, %(channel)s)
ON CONFLICT (anomaly_id, state) DO UPDATE
SET claimed_at = clock_timestamp(), channel = excluded.channel, failure = NULL
WHERE known.dag_run_id = excluded.dag_run_id AND known.failure IS NOT NULL AND known.sent_at IS NULL
RETURNING anomaly_id
