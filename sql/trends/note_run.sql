-- The series were judged up to here. Grain: the one row. Parameters: alpha, judged_until (epoch seconds), last_run_seconds.
-- A rerun writes the same with a newer time.
UPDATE stream.trend_state
SET alpha = %(alpha)s, judged_until = to_timestamp(%(judged_until)s), last_run_at = clock_timestamp(),
    last_run_seconds = %(last_run_seconds)s, last_error = ''
