-- Last words of a launch.
-- Grain: the one row. Parameters: epoch, state, message. Touches nothing when a newer launch holds the lease.
UPDATE stream.lease
SET state = %(state)s, message = %(message)s
WHERE only_row AND epoch = %(epoch)s
