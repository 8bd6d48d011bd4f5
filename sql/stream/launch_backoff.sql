-- Says on the lease why no stream job runs just now. Grain: the one row.
-- Parameters: message. Touches nothing when a job lives. A rerun writes the same.
UPDATE stream.lease
SET state = 'failed', message = %(message)s
WHERE only_row
  AND NOT EXISTS (SELECT FROM stream.launch WHERE job = 'traffic_stream' AND ended_at IS NULL)
