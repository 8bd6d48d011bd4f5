-- depends: 0008.report-dimensions
-- Trends of each live site: what was expected of every closed 10 s bucket, incidents, forecasts and alerts.
-- Observed values are never stored here: every view takes them from the buckets, so late lines move them, too.

SET LOCAL ROLE footfall_owner;

CREATE TABLE stream.trend_state (
    only_row         boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    alpha            double precision NOT NULL DEFAULT 0.3 CHECK (alpha >= 0.05 AND alpha <= 1),
    judged_until     timestamptz,
    last_run_at      timestamptz,
    last_run_seconds double precision,
    last_error       text NOT NULL DEFAULT '',
    last_error_at    timestamptz
) WITH (fillfactor = 50);
INSERT INTO stream.trend_state DEFAULT VALUES;
COMMENT ON TABLE stream.trend_state IS 'How following the live sites'' series goes; a failure there stops no counting and shows here.';
COMMENT ON COLUMN stream.trend_state.only_row IS 'There is one row.';
COMMENT ON COLUMN stream.trend_state.alpha IS 'Weight of the newest bucket in the moving average: S = alpha * X + (1 - alpha) * S before.';
COMMENT ON COLUMN stream.trend_state.judged_until IS 'End of the last closed bucket that was held against what was expected.';
COMMENT ON COLUMN stream.trend_state.last_run_at IS 'When that was.';
COMMENT ON COLUMN stream.trend_state.last_run_seconds IS 'How long judging it took, all sites together, in seconds.';
COMMENT ON COLUMN stream.trend_state.last_error IS 'What went wrong last, in words; empty when it went well since.';
COMMENT ON COLUMN stream.trend_state.last_error_at IS 'When something went wrong last.';

CREATE TABLE stream.followed_site (
    site           text PRIMARY KEY,
    followed_since timestamptz NOT NULL CHECK (extract(epoch FROM followed_since)::bigint % 10 = 0)
);
COMMENT ON TABLE stream.followed_site IS 'Sites whose traffic reached the present: their closed buckets are held against what is expected. Imported old logs are history.';
COMMENT ON COLUMN stream.followed_site.site IS 'Which site.';
COMMENT ON COLUMN stream.followed_site.followed_since IS 'First bucket that counts as live.';

CREATE TABLE stream.standstill (
    span_start   timestamptz PRIMARY KEY,
    span_end     timestamptz NOT NULL CHECK (span_end > span_start),
    records_lost boolean NOT NULL
);
COMMENT ON TABLE stream.standstill IS 'Times in which counting stood still. Buckets in them that stayed empty are unknown, not zero; where records were lost all are.';
COMMENT ON COLUMN stream.standstill.span_start IS 'Up to here everything that Kafka had received was counted in time.';
COMMENT ON COLUMN stream.standstill.span_end IS 'From here on again.';
COMMENT ON COLUMN stream.standstill.records_lost IS 'Whether Kafka no longer had some records of that time.';

CREATE TABLE stream.trend_series (
    series_id   integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site        text NOT NULL,
    series_kind text NOT NULL CHECK (series_kind IN ('hits', 'bytes_sent', 'client_errors', 'server_errors',
                                                     'mean_latency_us', 'page', 'country')),
    series_name text NOT NULL CHECK (length(series_name) <= 600),
    UNIQUE (site, series_kind, series_name)
);
COMMENT ON TABLE stream.trend_series IS 'Dictionary of series, so that the row of a bucket is small.';
COMMENT ON COLUMN stream.trend_series.series_id IS 'Number of the series.';
COMMENT ON COLUMN stream.trend_series.site IS 'Which site.';
COMMENT ON COLUMN stream.trend_series.series_kind IS 'hits, bytes_sent, client_errors, server_errors, mean_latency_us (microseconds a line); page and country are the hits of one of them.';
COMMENT ON COLUMN stream.trend_series.series_name IS 'Path or country code (empty when unknown) of a page or country; empty for the site''s totals.';

CREATE TABLE stream.trend_bucket (
    site            text NOT NULL,
    bucket_start    timestamptz NOT NULL CHECK (extract(epoch FROM bucket_start)::bigint % 10 = 0),
    judged_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    series_ids      integer[] NOT NULL,
    expected_values double precision[] NOT NULL CHECK (cardinality(expected_values) = cardinality(series_ids)),
    band_lows       double precision[] NOT NULL CHECK (cardinality(band_lows) = cardinality(series_ids)),
    band_highs      double precision[] NOT NULL CHECK (cardinality(band_highs) = cardinality(series_ids)),
    PRIMARY KEY (site, bucket_start)
);
COMMENT ON TABLE stream.trend_bucket IS 'What was expected of each closed bucket before it was looked at: one row holds all series of a site. Never changed, so that every judgement can be made again.';
COMMENT ON COLUMN stream.trend_bucket.site IS 'Which site.';
COMMENT ON COLUMN stream.trend_bucket.bucket_start IS 'Start of the 10 s bucket.';
COMMENT ON COLUMN stream.trend_bucket.judged_at IS 'When it was judged.';
COMMENT ON COLUMN stream.trend_bucket.series_ids IS 'Series (stream.trend_series); the arrays beside it have the same order.';
COMMENT ON COLUMN stream.trend_bucket.expected_values IS 'Expected value of each series; null while there is too little history.';
COMMENT ON COLUMN stream.trend_bucket.band_lows IS 'Lower end of each band.';
COMMENT ON COLUMN stream.trend_bucket.band_highs IS 'Upper end of each band.';

CREATE TABLE stream.live_forecast (
    site            text PRIMARY KEY,
    history_end     timestamptz NOT NULL,
    steps           smallint NOT NULL CHECK (steps >= 1),
    series_ids      integer[] NOT NULL,
    expected_values double precision[] NOT NULL CHECK (cardinality(expected_values) = steps * cardinality(series_ids)),
    band_lows       double precision[] NOT NULL CHECK (cardinality(band_lows) = steps * cardinality(series_ids)),
    band_highs      double precision[] NOT NULL CHECK (cardinality(band_highs) = steps * cardinality(series_ids))
) WITH (fillfactor = 50);
COMMENT ON TABLE stream.live_forecast IS 'The next minute of each followed site, as of its last closed bucket; report.live_forecast unfolds it.';
COMMENT ON COLUMN stream.live_forecast.site IS 'Which site.';
COMMENT ON COLUMN stream.live_forecast.history_end IS 'End of the last bucket it was made from.';
COMMENT ON COLUMN stream.live_forecast.steps IS 'Number of buckets ahead.';
COMMENT ON COLUMN stream.live_forecast.series_ids IS 'Series (stream.trend_series).';
COMMENT ON COLUMN stream.live_forecast.expected_values IS 'Expected values: all steps of the first series, then of the next.';
COMMENT ON COLUMN stream.live_forecast.band_lows IS 'Lower ends of the 95 % band, the same way.';
COMMENT ON COLUMN stream.live_forecast.band_highs IS 'Upper ends of the 95 % band, the same way.';

CREATE TABLE stream.anomaly (
    anomaly_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site         text NOT NULL,
    series_kind  text NOT NULL,
    series_name  text NOT NULL,
    hour_start   timestamptz NOT NULL CHECK (date_trunc('hour', hour_start, 'UTC') = hour_start),
    started_at   timestamptz NOT NULL,
    opened_at    timestamptz NOT NULL CHECK (opened_at > started_at),
    noticed_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    closed_at    timestamptz CHECK (closed_at >= opened_at),
    dissolved_at timestamptz,
    state        text NOT NULL CHECK (state IN ('open', 'closed', 'dissolved')),
    direction    text NOT NULL CHECK (direction IN ('above', 'below')),
    severity     text NOT NULL CHECK (severity IN ('notice', 'warning', 'critical')),
    window_seconds integer NOT NULL CHECK (window_seconds >= 10),
    observed     double precision NOT NULL,
    expected     double precision NOT NULL,
    band_low     double precision NOT NULL,
    band_high    double precision NOT NULL,
    peak         double precision NOT NULL,
    contributors jsonb NOT NULL,
    head_id      bigint REFERENCES stream.anomaly (anomaly_id),
    UNIQUE (site, series_kind, series_name, opened_at),
    CHECK ((state = 'dissolved') = (dissolved_at IS NOT NULL)),
    CHECK (state <> 'closed' OR closed_at IS NOT NULL)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX anomaly_one_open ON stream.anomaly (site, series_kind, series_name) WHERE state = 'open';
CREATE INDEX ON stream.anomaly (site, opened_at);
COMMENT ON TABLE stream.anomaly IS 'One row is one incident of one series: opened when it left its band for long enough, closed when it came back.';
COMMENT ON COLUMN stream.anomaly.anomaly_id IS 'Number of the incident.';
COMMENT ON COLUMN stream.anomaly.site IS 'Which site.';
COMMENT ON COLUMN stream.anomaly.series_kind IS 'Which kind of series (stream.trend_series).';
COMMENT ON COLUMN stream.anomaly.series_name IS 'Path or country, empty for the site''s totals.';
COMMENT ON COLUMN stream.anomaly.hour_start IS 'UTC hour it belongs to: the one it began in.';
COMMENT ON COLUMN stream.anomaly.started_at IS 'Start of the first bucket outside the band.';
COMMENT ON COLUMN stream.anomaly.opened_at IS 'End of the bucket that made it an incident.';
COMMENT ON COLUMN stream.anomaly.noticed_at IS 'When the row was written, by the clock.';
COMMENT ON COLUMN stream.anomaly.closed_at IS 'End of the bucket with which it was over.';
COMMENT ON COLUMN stream.anomaly.dissolved_at IS 'When late lines showed that it had been none.';
COMMENT ON COLUMN stream.anomaly.state IS 'open, closed, or dissolved: late lines brought the values back into the band.';
COMMENT ON COLUMN stream.anomaly.direction IS 'above or below what was expected.';
COMMENT ON COLUMN stream.anomaly.severity IS 'notice, warning or critical: how far outside the band.';
COMMENT ON COLUMN stream.anomaly.window_seconds IS 'Length of the window [opened_at - window, opened_at) whose value was compared: 10 s, or longer where counts are small or the change is slow.';
COMMENT ON COLUMN stream.anomaly.observed IS 'Value of the window that opened it, as of then.';
COMMENT ON COLUMN stream.anomaly.expected IS 'Expected value of that window.';
COMMENT ON COLUMN stream.anomaly.band_low IS 'Lower end of its band.';
COMMENT ON COLUMN stream.anomaly.band_high IS 'Upper end of its band.';
COMMENT ON COLUMN stream.anomaly.peak IS 'Largest (smallest, when below) 10 s bucket so far.';
COMMENT ON COLUMN stream.anomaly.contributors IS 'What made the difference, the largest first: dimension, value, observed and before (the same length of time just before), share of the difference.';
COMMENT ON COLUMN stream.anomaly.head_id IS 'The incident this one is a part of: other series of the site that left their bands with it. Null for the incident itself; only those are alerted.';

CREATE TABLE report.forecast (
    site           text NOT NULL,
    series_kind    text NOT NULL,
    series_name    text NOT NULL,
    history_end    timestamptz NOT NULL,
    hour_start     timestamptz NOT NULL CHECK (hour_start >= history_end),
    expected       double precision NOT NULL,
    band_low       double precision NOT NULL,
    band_high      double precision NOT NULL,
    seasonal_naive double precision,
    made_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (site, series_kind, series_name, history_end, hour_start)
);
CREATE INDEX ON report.forecast (site, hour_start);
COMMENT ON TABLE report.forecast IS 'Forecasts of the next 24 hours, made every hour from the published hours, kept as they were made. Append-only.';
COMMENT ON COLUMN report.forecast.site IS 'Which site.';
COMMENT ON COLUMN report.forecast.series_kind IS 'hits, bytes_sent, client_errors, server_errors, mean_latency_us, page or country.';
COMMENT ON COLUMN report.forecast.series_name IS 'Path or country, empty for the site''s totals.';
COMMENT ON COLUMN report.forecast.history_end IS 'End of the last published hour it was made from.';
COMMENT ON COLUMN report.forecast.hour_start IS 'UTC hour that is forecast.';
COMMENT ON COLUMN report.forecast.expected IS 'Expected value of that hour.';
COMMENT ON COLUMN report.forecast.band_low IS 'Lower end of the 95 % band.';
COMMENT ON COLUMN report.forecast.band_high IS 'Upper end of the 95 % band.';
COMMENT ON COLUMN report.forecast.seasonal_naive IS 'What the plain rule "as a week ago, else as a day ago" says; null when that hour is not published.';
COMMENT ON COLUMN report.forecast.made_at IS 'When it was made.';

CREATE TABLE report.alert (
    anomaly_id bigint NOT NULL,
    state      text NOT NULL CHECK (state IN ('open', 'closed', 'dissolved')),
    claimed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    dag_run_id text NOT NULL,
    channel    text NOT NULL,
    sent_at    timestamptz,
    failure    text,
    PRIMARY KEY (anomaly_id, state)
);
COMMENT ON TABLE report.alert IS 'Alerts: at most one per incident and state. Claimed before it is sent, so that nobody sends it again.';
COMMENT ON COLUMN report.alert.anomaly_id IS 'Which incident (report.anomaly).';
COMMENT ON COLUMN report.alert.state IS 'The state it tells of.';
COMMENT ON COLUMN report.alert.claimed_at IS 'When a run took it on.';
COMMENT ON COLUMN report.alert.dag_run_id IS 'Airflow''s run that took it on.';
COMMENT ON COLUMN report.alert.channel IS 'Where it goes: log, or the kind of the connection.';
COMMENT ON COLUMN report.alert.sent_at IS 'When it was handed over; null with no failure means the sender died and nobody knows.';
COMMENT ON COLUMN report.alert.failure IS 'Why it surely was not handed over; the task tries that again.';

-- Exponentially weighted moving average; unknown values (null) are passed over and leave it as it is.
CREATE FUNCTION report.ewma_step(average double precision, observed double precision, alpha double precision)
RETURNS double precision LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
    RETURN CASE WHEN observed IS NULL THEN average
                WHEN average IS NULL THEN observed
                ELSE alpha * observed + (1 - alpha) * average END;
END
$$;
COMMENT ON FUNCTION report.ewma_step IS 'S = alpha * X + (1 - alpha) * S before; the first X is the first S; an unknown X leaves S as it is.';

CREATE AGGREGATE report.ewma(observed double precision, alpha double precision) (
    SFUNC = report.ewma_step, STYPE = double precision, PARALLEL = SAFE
);
COMMENT ON AGGREGATE report.ewma(double precision, double precision) IS 'Exponentially weighted moving average, with OVER (PARTITION BY series ORDER BY time).';

-- All series of one site at one grain. The moving average runs in over as many buckets before the range as it takes
-- until what came before weighs less than a double can tell (110 with alpha 0.3): so it is the average from the
-- site's first bucket on, whatever range is asked for, and late lines move it as they move the buckets.
CREATE FUNCTION report.series(
    of_site text, grain interval, range_start timestamptz, range_end timestamptz,
    most_pages integer DEFAULT 20, most_countries integer DEFAULT 10
)
RETURNS TABLE (series_kind text, series_name text, bucket_start timestamptz, observed double precision,
               is_known boolean, ewma double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog SET work_mem = '32MB' SET jit = off ROWS 20000
AS $$
    WITH setting AS (
        SELECT s.alpha,
               CASE WHEN s.alpha < 1 THEN ceil(-39.2 / ln(1 - s.alpha)) ELSE 1 END AS run_in,
               coalesce(l.caught_up_to, '-infinity') AS caught_up_to
        FROM stream.trend_state AS s CROSS JOIN stream.lease AS l
    ), span AS (
        SELECT date_bin(grain, greatest(range_start - setting.run_in * grain, first.bucket_start), range_start) AS starts,
               date_bin(grain, range_end, range_start) AS ends
        FROM setting
        CROSS JOIN LATERAL (
            SELECT b.bucket_start
            FROM (SELECT min(t.hour_start) AS starts FROM stream.touched_hour AS t WHERE t.site = of_site) AS hour
            JOIN stream.traffic_bucket AS b
                ON b.bucket_start >= hour.starts AND b.bucket_start < hour.starts + interval '1 hour'
            JOIN stream.page AS p ON p.page_id = b.page_id AND p.site = of_site
            ORDER BY b.bucket_start
            LIMIT 1
        ) AS first
    ), cell AS MATERIALIZED (
        SELECT b.bucket_start AS ten, date_bin(grain, b.bucket_start, range_start) AS bin, b.page_id, b.country,
               grouping(b.bucket_start, b.page_id, b.country) AS sums,
               sum(b.hits)::double precision AS hits, sum(b.bytes_sent)::double precision AS bytes_sent,
               coalesce(sum(b.hits) FILTER (WHERE b.status_class = 4), 0)::double precision AS client_errors,
               coalesce(sum(b.hits) FILTER (WHERE b.status_class = 5), 0)::double precision AS server_errors,
               (sum(b.latency_us_sum) / nullif(sum(b.latency_count), 0))::double precision AS mean_latency_us
        FROM span
        JOIN stream.traffic_bucket AS b ON b.bucket_start >= span.starts AND b.bucket_start < span.ends
        JOIN stream.page AS p ON p.page_id = b.page_id AND p.site = of_site
        GROUP BY GROUPING SETS ((b.bucket_start), (date_bin(grain, b.bucket_start, range_start)),
                                (date_bin(grain, b.bucket_start, range_start), b.page_id),
                                (date_bin(grain, b.bucket_start, range_start), b.country))
    ), part AS MATERIALIZED (
        SELECT cell.*, cell.sums || coalesce(cell.page_id::text, cell.country, '') AS place FROM cell WHERE cell.sums > 3
    ), grid AS MATERIALIZED (
        SELECT date_bin(grain, ten.starts, range_start) AS bin,
               bool_and(ten.starts + interval '10 seconds' <= setting.caught_up_to AND NOT EXISTS (
                   SELECT FROM stream.standstill AS s
                   WHERE s.span_start < ten.starts + interval '10 seconds' AND s.span_end > ten.starts
                     AND (s.records_lost OR cell.hits IS NULL))) AS is_known
        FROM setting CROSS JOIN span
        CROSS JOIN LATERAL generate_series(span.starts, span.ends - interval '10 seconds', '10 seconds') AS ten (starts)
        LEFT JOIN cell ON cell.sums = 3 AND cell.ten = ten.starts
        GROUP BY 1
    ), named AS (
        SELECT kind AS series_kind, '' AS series_name, '7' AS place
        FROM unnest(ARRAY['hits', 'bytes_sent', 'client_errors', 'server_errors', 'mean_latency_us']) AS kind
        UNION ALL
        (SELECT 'page', p.path, '5' || p.page_id
         FROM cell JOIN stream.page AS p USING (page_id)
         WHERE cell.sums = 5 AND cell.bin >= range_start
         GROUP BY p.page_id, p.path ORDER BY sum(cell.hits) DESC, p.path LIMIT most_pages)
        UNION ALL
        (SELECT 'country', cell.country, '6' || cell.country
         FROM cell
         WHERE cell.sums = 6 AND cell.bin >= range_start
         GROUP BY cell.country ORDER BY sum(cell.hits) DESC, cell.country LIMIT most_countries)
    ), valued AS (
        SELECT n.series_kind, n.series_name, g.bin, g.is_known,
               CASE n.series_kind WHEN 'bytes_sent' THEN coalesce(c.bytes_sent, 0)
                                  WHEN 'client_errors' THEN coalesce(c.client_errors, 0)
                                  WHEN 'server_errors' THEN coalesce(c.server_errors, 0)
                                  WHEN 'mean_latency_us' THEN c.mean_latency_us
                                  ELSE coalesce(c.hits, 0) END AS observed
        FROM named AS n CROSS JOIN grid AS g
        LEFT JOIN part AS c ON c.bin = g.bin AND c.place = n.place
    ), averaged AS (
        SELECT v.series_kind, v.series_name, v.bin, v.observed, v.is_known,
               report.ewma(CASE WHEN v.is_known THEN v.observed END, setting.alpha)
                   OVER (PARTITION BY v.series_kind, v.series_name ORDER BY v.bin) AS ewma
        FROM valued AS v CROSS JOIN setting
    )
    SELECT a.series_kind, a.series_name, a.bin, a.observed, a.is_known, a.ewma
    FROM averaged AS a
    WHERE a.bin >= range_start
$$;
COMMENT ON FUNCTION report.series IS 'Every series of a site in [range_start, range_end) by a grain that is a multiple of 10 s, counted from range_start: the five totals, the hottest pages, the largest countries. Sums of the 10 s buckets, empty ones as 0; is_known says whether counting had caught up. ewma passes over unknown buckets.';

CREATE VIEW report.trend_band AS
SELECT j.site, k.series_kind, k.series_name, j.bucket_start, e.expected, e.band_low, e.band_high, j.judged_at
FROM stream.trend_bucket AS j
CROSS JOIN LATERAL unnest(j.series_ids, j.expected_values, j.band_lows, j.band_highs)
    AS e (series_id, expected, band_low, band_high)
JOIN stream.trend_series AS k USING (series_id);
COMMENT ON VIEW report.trend_band IS 'What was expected of each closed 10 s bucket of a live site before it was looked at, kept as it was made. Filter by site and bucket_start.';
COMMENT ON COLUMN report.trend_band.site IS 'Which site.';
COMMENT ON COLUMN report.trend_band.series_kind IS 'As in report.live_trend.';
COMMENT ON COLUMN report.trend_band.series_name IS 'Path or country code, empty for the site''s totals.';
COMMENT ON COLUMN report.trend_band.bucket_start IS 'Start of the 10 s bucket.';
COMMENT ON COLUMN report.trend_band.expected IS 'Expected value; null while there was too little history.';
COMMENT ON COLUMN report.trend_band.band_low IS 'Lower end of its band.';
COMMENT ON COLUMN report.trend_band.band_high IS 'Upper end of its band.';
COMMENT ON COLUMN report.trend_band.judged_at IS 'When it was judged.';

CREATE VIEW report.live_trend AS
SELECT s.site, t.series_kind, t.series_name, t.bucket_start, t.observed, t.is_known, t.ewma, b.expected, b.band_low,
       b.band_high
FROM report.site AS s
CROSS JOIN LATERAL report.series(s.site, interval '10 seconds', s.last_bucket_start - interval '59 minutes 50 seconds',
                                 s.last_bucket_start + interval '10 seconds') AS t
LEFT JOIN report.trend_band AS b
    ON b.site = s.site AND b.bucket_start = t.bucket_start AND b.series_kind = t.series_kind
   AND b.series_name = t.series_name AND b.bucket_start >= s.last_bucket_start - interval '59 minutes 50 seconds';
COMMENT ON VIEW report.live_trend IS 'The last hour of each site by 10 s, counted back from its newest bucket: totals, the 20 hottest pages, the 10 largest countries, each with its moving average and what was expected. Filter by site.';
COMMENT ON COLUMN report.live_trend.site IS 'Which site.';
COMMENT ON COLUMN report.live_trend.series_kind IS 'hits, bytes_sent, client_errors, server_errors, mean_latency_us (microseconds a line); page and country are the hits of one of them.';
COMMENT ON COLUMN report.live_trend.series_name IS 'Path or country, empty for the site''s totals.';
COMMENT ON COLUMN report.live_trend.bucket_start IS 'Start of the 10 s bucket.';
COMMENT ON COLUMN report.live_trend.observed IS 'What is counted now; null for a mean of nothing.';
COMMENT ON COLUMN report.live_trend.is_known IS 'Whether everything Kafka had received by the bucket''s end is counted; an empty bucket of a standstill stays unknown.';
COMMENT ON COLUMN report.live_trend.ewma IS 'Exponentially weighted moving average of the known values, from the site''s first bucket on.';
COMMENT ON COLUMN report.live_trend.expected IS 'What was expected before the bucket was looked at; null when it was not judged.';
COMMENT ON COLUMN report.live_trend.band_low IS 'Lower end of the band of those days.';
COMMENT ON COLUMN report.live_trend.band_high IS 'Upper end of it.';

CREATE VIEW report.minute_trend AS
SELECT s.site, t.series_kind, t.series_name, t.bucket_start AS minute_start, t.observed, t.is_known, t.ewma
FROM report.site AS s
CROSS JOIN LATERAL report.series(s.site, interval '1 minute',
                                 date_trunc('minute', s.last_bucket_start, 'UTC') - interval '119 minutes',
                                 date_trunc('minute', s.last_bucket_start, 'UTC') + interval '1 minute') AS t;
COMMENT ON VIEW report.minute_trend IS 'The last two hours of each site by minute: sums of the 10 s buckets. report.series gives any other range.';
COMMENT ON COLUMN report.minute_trend.site IS 'Which site.';
COMMENT ON COLUMN report.minute_trend.series_kind IS 'As in report.live_trend.';
COMMENT ON COLUMN report.minute_trend.series_name IS 'Path or country, empty for the site''s totals.';
COMMENT ON COLUMN report.minute_trend.minute_start IS 'Start of the minute.';
COMMENT ON COLUMN report.minute_trend.observed IS 'What is counted now; null for a mean of nothing.';
COMMENT ON COLUMN report.minute_trend.is_known IS 'Whether all six buckets are known.';
COMMENT ON COLUMN report.minute_trend.ewma IS 'Exponentially weighted moving average over the known minutes.';

CREATE VIEW report.hour_trend AS
SELECT s.site, t.series_kind, t.series_name, t.bucket_start AS hour_start, t.observed, t.is_known, t.ewma
FROM report.site AS s
CROSS JOIN LATERAL report.series(s.site, interval '1 hour', s.last_hour_start - interval '47 hours',
                                 s.last_hour_start + interval '1 hour') AS t;
COMMENT ON VIEW report.hour_trend IS 'The last two days of each site by hour: sums of the same 10 s buckets. Reads some 160 hours of them: filter by site.';
COMMENT ON COLUMN report.hour_trend.site IS 'Which site.';
COMMENT ON COLUMN report.hour_trend.series_kind IS 'As in report.live_trend.';
COMMENT ON COLUMN report.hour_trend.series_name IS 'Path or country, empty for the site''s totals.';
COMMENT ON COLUMN report.hour_trend.hour_start IS 'Start of the UTC hour.';
COMMENT ON COLUMN report.hour_trend.observed IS 'What is counted now; null for a mean of nothing.';
COMMENT ON COLUMN report.hour_trend.is_known IS 'Whether all its buckets are known.';
COMMENT ON COLUMN report.hour_trend.ewma IS 'Exponentially weighted moving average over the known hours.';

CREATE VIEW report.live_forecast AS
SELECT f.site, k.series_kind, k.series_name, f.history_end + (step - 1) * interval '10 seconds' AS bucket_start,
       f.expected_values[(place - 1) * f.steps + step] AS expected,
       f.band_lows[(place - 1) * f.steps + step] AS band_low,
       f.band_highs[(place - 1) * f.steps + step] AS band_high, f.history_end
FROM stream.live_forecast AS f
CROSS JOIN LATERAL unnest(f.series_ids) WITH ORDINALITY AS listed (series_id, place)
CROSS JOIN LATERAL generate_series(1, f.steps) AS step
JOIN stream.trend_series AS k USING (series_id);
COMMENT ON VIEW report.live_forecast IS 'The minute after the last closed bucket of each live site, by 10 s.';
COMMENT ON COLUMN report.live_forecast.site IS 'Which site.';
COMMENT ON COLUMN report.live_forecast.series_kind IS 'As in report.live_trend.';
COMMENT ON COLUMN report.live_forecast.series_name IS 'Path or country, empty for the site''s totals.';
COMMENT ON COLUMN report.live_forecast.bucket_start IS 'Start of the bucket that is forecast.';
COMMENT ON COLUMN report.live_forecast.expected IS 'Expected value; null while there is too little history.';
COMMENT ON COLUMN report.live_forecast.band_low IS 'Lower end of the 95 % band.';
COMMENT ON COLUMN report.live_forecast.band_high IS 'Upper end of it.';
COMMENT ON COLUMN report.live_forecast.history_end IS 'End of the last bucket it was made from.';

CREATE VIEW report.anomaly AS
SELECT a.anomaly_id, a.site, a.series_kind, a.series_name, a.hour_start, a.started_at, a.opened_at, a.noticed_at,
       a.closed_at, a.dissolved_at, a.state, a.direction, a.severity, a.window_seconds, a.observed, a.expected,
       a.band_low, a.band_high, a.peak, a.contributors, a.head_id
FROM stream.anomaly AS a;
COMMENT ON VIEW report.anomaly IS 'One row is one incident of one series: opened when it left its band for long enough, closed when it came back. head_id is null for the incidents that are alerted.';

-- A column of the view means what it means in the table.
DO $$
DECLARE
    described record;
BEGIN
    FOR described IN
        SELECT attname, col_description(attrelid, attnum) AS words
        FROM pg_catalog.pg_attribute WHERE attrelid = 'stream.anomaly'::regclass AND attnum > 0
    LOOP
        EXECUTE format('COMMENT ON COLUMN report.anomaly.%I IS %L', described.attname, described.words);
    END LOOP;
END
$$;

CREATE VIEW report.forecast_score AS
WITH published AS (
    SELECT site, hour_start, kind AS series_kind, '' AS series_name, observed
    FROM report.current_hourly_traffic
    CROSS JOIN LATERAL (VALUES ('hits', hits::double precision), ('bytes_sent', bytes_sent::double precision),
                               ('client_errors', client_errors::double precision),
                               ('server_errors', server_errors::double precision),
                               ('mean_latency_us',
                                latency_us_sum::double precision / nullif(latency_count, 0))) AS measure (kind, observed)
), scored AS (
    SELECT f.site, f.series_kind, f.series_name, f.expected, f.band_low, f.band_high, f.seasonal_naive,
           CASE WHEN f.series_kind = 'page' THEN coalesce(p.hits, 0)
                WHEN f.series_kind = 'country' THEN coalesce(c.hits, 0)
                ELSE t.observed END AS observed
    FROM report.forecast AS f
    JOIN published AS h ON h.site = f.site AND h.hour_start = f.hour_start AND h.series_kind = 'hits'
    LEFT JOIN published AS t
        ON t.site = f.site AND t.hour_start = f.hour_start AND t.series_kind = f.series_kind
    LEFT JOIN report.current_hourly_page AS p
        ON f.series_kind = 'page' AND p.site = f.site AND p.hour_start = f.hour_start AND p.path = f.series_name
    LEFT JOIN report.current_hourly_country AS c
        ON f.series_kind = 'country' AND c.site = f.site AND c.hour_start = f.hour_start
       AND c.country = f.series_name
)
SELECT site, series_kind, series_name, count(*) AS forecasts,
       avg(abs(observed - expected)) AS mean_absolute_error,
       avg(abs(observed - seasonal_naive)) AS naive_mean_absolute_error,
       avg(CASE WHEN observed BETWEEN band_low AND band_high THEN 1.0 ELSE 0.0 END)::double precision AS coverage
FROM scored
WHERE observed IS NOT NULL AND seasonal_naive IS NOT NULL
GROUP BY site, series_kind, series_name;
COMMENT ON VIEW report.forecast_score IS 'How good the 24-hour forecasts were, by series, over all whose hour is published by now; late data that moves a report moves its score.';
COMMENT ON COLUMN report.forecast_score.site IS 'Which site.';
COMMENT ON COLUMN report.forecast_score.series_kind IS 'As in report.forecast.';
COMMENT ON COLUMN report.forecast_score.series_name IS 'Path or country, empty for the site''s totals.';
COMMENT ON COLUMN report.forecast_score.forecasts IS 'Number of forecast hours scored.';
COMMENT ON COLUMN report.forecast_score.mean_absolute_error IS 'Mean distance between what came and what was expected.';
COMMENT ON COLUMN report.forecast_score.naive_mean_absolute_error IS 'The same for the plain rule "as a week ago, else as a day ago".';
COMMENT ON COLUMN report.forecast_score.coverage IS 'Share of what came that lay in the 95 % band, 0 to 1.';

CREATE VIEW report.trend_status AS
SELECT s.alpha, s.judged_until, s.last_run_at, s.last_run_seconds, s.last_error, s.last_error_at,
       (SELECT count(*) FROM stream.anomaly AS a WHERE a.state = 'open' AND a.head_id IS NULL) AS anomalies_open
FROM stream.trend_state AS s;
COMMENT ON VIEW report.trend_status IS 'How following the live sites'' series goes, in one row.';
COMMENT ON COLUMN report.trend_status.alpha IS 'Weight of the newest bucket in the moving average.';
COMMENT ON COLUMN report.trend_status.judged_until IS 'End of the last closed bucket that was held against what was expected.';
COMMENT ON COLUMN report.trend_status.last_run_at IS 'When that was.';
COMMENT ON COLUMN report.trend_status.last_run_seconds IS 'How long judging it took, all sites together, in seconds.';
COMMENT ON COLUMN report.trend_status.last_error IS 'What went wrong last, in words; empty when it went well since.';
COMMENT ON COLUMN report.trend_status.last_error_at IS 'When something went wrong last.';
COMMENT ON COLUMN report.trend_status.anomalies_open IS 'Incidents that are open now.';

CREATE OR REPLACE VIEW report.stream_status AS
SELECT l.state, l.desired_state, l.message, l.epoch, l.started_at, l.heartbeat_at,
       extract(epoch FROM clock_timestamp() - l.heartbeat_at)::double precision AS heartbeat_age_seconds,
       l.last_batch_at,
       extract(epoch FROM clock_timestamp() - l.last_batch_at)::double precision AS last_batch_age_seconds,
       l.last_batch_seconds, l.lag_records, l.records_per_second,
       (SELECT max(ledger_id) FROM stream.ledger) AS last_ledger_id,
       t.last_error AS trend_error
FROM stream.lease AS l
CROSS JOIN stream.trend_state AS t;
COMMENT ON COLUMN report.stream_status.trend_error IS 'Why the trends do not follow just now; empty when they do. Counting does not depend on them.';

GRANT SELECT ON stream.trend_state, stream.followed_site, stream.standstill, stream.trend_series, stream.trend_bucket,
    stream.live_forecast, stream.anomaly TO footfall_writer, footfall_reporter;
GRANT SELECT ON report.current_hourly_traffic, report.current_hourly_page, report.current_hourly_country
    TO footfall_writer;
GRANT UPDATE ON stream.trend_state TO footfall_writer;
GRANT INSERT ON stream.standstill, stream.trend_series TO footfall_writer;
GRANT INSERT, DELETE ON stream.trend_bucket TO footfall_writer;
GRANT INSERT, UPDATE, DELETE ON stream.followed_site TO footfall_writer;
GRANT INSERT, UPDATE, DELETE ON stream.live_forecast TO footfall_writer;
GRANT INSERT, UPDATE ON stream.anomaly TO footfall_writer;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA stream TO footfall_writer;
GRANT SELECT ON report.trend_band, report.live_trend, report.minute_trend, report.hour_trend, report.live_forecast, report.anomaly,
    report.forecast, report.forecast_score, report.alert, report.trend_status TO footfall_reporter, footfall_reader;
GRANT INSERT ON report.forecast TO footfall_reporter;
GRANT INSERT, UPDATE ON report.alert TO footfall_reporter;

RESET ROLE;
