-- What is wished of the stream job: running or stopped. Grain: the one row.
-- Parameters: desired_state. A rerun writes the same.
UPDATE stream.lease SET desired_state = %(desired_state)s WHERE only_row
