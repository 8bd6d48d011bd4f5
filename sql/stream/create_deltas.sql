-- Where a batch's tables arrive, once a session; emptied by every commit. Grain: that of each table.
-- Times are epoch seconds, or microseconds where the name says so. A rerun changes nothing.
CREATE TEMPORARY TABLE IF NOT EXISTS traffic_delta (
    bucket_start   bigint NOT NULL,
    site           text NOT NULL,
    path           text NOT NULL,
    country        text NOT NULL,
    status_class   smallint NOT NULL,
    agent_class    text NOT NULL,
    hits           bigint NOT NULL,
    bytes_sent     bigint NOT NULL,
    latency_us_sum bigint NOT NULL,
    latency_count  bigint NOT NULL
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS latency_delta (
    bucket_start   bigint NOT NULL,
    site           text NOT NULL,
    path           text NOT NULL,
    bin            smallint NOT NULL,
    lines          bigint NOT NULL,
    latency_us_max bigint NOT NULL
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS dimension_delta (
    hour_start    bigint NOT NULL,
    site          text NOT NULL,
    dimension     text NOT NULL,
    value         text NOT NULL,
    hits          bigint NOT NULL,
    bytes_sent    bigint NOT NULL,
    client_errors bigint NOT NULL,
    server_errors bigint NOT NULL
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS visit_delta (
    site          text NOT NULL,
    key_id        text NOT NULL,
    visitor       bigint NOT NULL,
    started_us    bigint NOT NULL,
    ended_us      bigint NOT NULL,
    hits          bigint NOT NULL,
    page_views    bigint NOT NULL,
    client_errors bigint NOT NULL,
    line_class    text NOT NULL,
    entry_us      bigint,
    entry_path    text,
    exit_us       bigint,
    exit_path     text
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS new_value (
    site      text NOT NULL,
    day_start timestamptz NOT NULL,
    dimension text NOT NULL,
    value     text NOT NULL,
    hits      bigint NOT NULL,
    answered  boolean NOT NULL -- any line of it was answered other than 4xx
) ON COMMIT DELETE ROWS
