-- Amounts of one site in two equal spans, by each page, country, status class and agent class: what an incident is
-- explained by. Grain: a dimension, value and span. Parameters: site, path, country (null: all), start_s, middle_s,
-- end_s (epoch seconds; the earlier span ends where the later one begins), measure (hits, bytes_sent, client_errors,
-- server_errors, latency_us). A rerun reads again.
WITH cell AS (
    SELECT p.path, b.country, b.status_class, b.agent_class, b.bucket_start >= to_timestamp(%(middle_s)s) AS is_later,
           b.latency_count,
           CASE %(measure)s WHEN 'bytes_sent' THEN b.bytes_sent
                            WHEN 'latency_us' THEN b.latency_us_sum
                            WHEN 'client_errors' THEN CASE WHEN b.status_class = 4 THEN b.hits ELSE 0 END
                            WHEN 'server_errors' THEN CASE WHEN b.status_class = 5 THEN b.hits ELSE 0 END
                            ELSE b.hits END AS amount
    FROM stream.traffic_bucket AS b
    JOIN stream.page AS p USING (page_id)
    WHERE b.bucket_start >= to_timestamp(%(start_s)s) AND b.bucket_start < to_timestamp(%(end_s)s)
      AND p.site = %(site)s AND p.path = coalesce(%(path)s, p.path) AND b.country = coalesce(%(country)s, b.country)
)
SELECT part.dimension, part.value, cell.is_later, sum(cell.amount)::double precision AS amount,
       sum(cell.latency_count)::double precision AS latency_count
FROM cell
CROSS JOIN LATERAL (VALUES ('page', cell.path), ('country', cell.country),
                           ('status class', cell.status_class || 'xx'), ('agent class', cell.agent_class))
    AS part (dimension, value)
GROUP BY part.dimension, part.value, cell.is_later
