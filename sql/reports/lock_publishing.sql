-- One publisher at a time. Must be the first statement of a REPEATABLE READ transaction: LOCK TABLE takes no
-- snapshot, so the snapshot is taken after the wait and sees what the publisher before it committed
-- (a SELECT of an advisory lock would freeze the snapshot before the wait). Readers are not held up.
LOCK TABLE report.hour_checked IN SHARE ROW EXCLUSIVE MODE
