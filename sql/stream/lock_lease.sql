-- The lease row, locked until the transaction ends, so that no batch of another epoch can slip in.
-- Grain: the one row. Parameters: none. A rerun reads again.
SELECT epoch, desired_state FROM stream.lease WHERE only_row FOR UPDATE
