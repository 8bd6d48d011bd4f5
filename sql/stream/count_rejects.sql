-- Adds to the number of rejects by hour of arrival and reason. Grain: hour and reason.
-- Parameters: received_hour_us (epoch microseconds), reason, records.
INSERT INTO stream.rejected_count AS known (received_hour, reason, records)
VALUES (to_timestamp(%(received_hour_us)s / 1000000), %(reason)s, %(records)s)
ON CONFLICT (received_hour, reason) DO UPDATE SET records = known.records + excluded.records
