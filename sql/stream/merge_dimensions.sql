-- Adds the batch's dimensions to their hours. Grain: site, hour, dimension and value.
-- Parameters: none (reads dimension_delta).
-- A rerun would add again: only the position's compare-and-set in the same transaction makes it exactly once.
-- Summed first: several values may have become (other).
INSERT INTO stream.dimension_hour AS known
    (site, hour_start, dimension, value, hits, bytes_sent, client_errors, server_errors)
SELECT site, to_timestamp(hour_start), dimension, value, sum(hits), sum(bytes_sent), sum(client_errors),
       sum(server_errors)
FROM pg_temp.dimension_delta
GROUP BY 1, 2, 3, 4
ON CONFLICT (site, hour_start, dimension, value) DO UPDATE
SET hits = known.hits + excluded.hits,
    bytes_sent = known.bytes_sent + excluded.bytes_sent,
    client_errors = known.client_errors + excluded.client_errors,
    server_errors = known.server_errors + excluded.server_errors
