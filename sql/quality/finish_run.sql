-- A run of the checks ended. Parameters: run_id, status (done|broken), hours, gx_version, error (null when done).
UPDATE quality.run
SET status = %(status)s, hours = %(hours)s, gx_version = %(gx_version)s, error = %(error)s,
    finished_at = clock_timestamp()
WHERE run_id = %(run_id)s
