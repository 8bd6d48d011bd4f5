-- Where a batch's cells arrive, once a session; emptied by every commit. Grain: a cell.
CREATE TEMPORARY TABLE IF NOT EXISTS traffic_delta (
    bucket_start   bigint NOT NULL, -- epoch seconds
    site           text NOT NULL,
    path           text NOT NULL,
    country        text NOT NULL,
    status_class   smallint NOT NULL,
    agent_class    text NOT NULL,
    hits           bigint NOT NULL,
    bytes_sent     bigint NOT NULL,
    latency_us_sum bigint NOT NULL,
    latency_count  bigint NOT NULL
) ON COMMIT DELETE ROWS
