-- Following the series failed; counting goes on. Grain: the one row. Parameters: last_error.
-- A rerun writes the same with a newer time.
UPDATE stream.trend_state SET last_error = %(last_error)s, last_error_at = clock_timestamp()
