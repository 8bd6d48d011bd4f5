-- Whether the ledger is whole: no hole in the batches of the last two hours, and what the newest check of the whole
-- ledger said. One row. Parameters: none. Reads only; asked only when the stream stands still.
SELECT (SELECT count(*)
        FROM (SELECT from_offset,
                     lag(until_offset) OVER (PARTITION BY topic_id, kafka_partition ORDER BY from_offset) AS expected_offset
              FROM report.ledger
              WHERE committed_at > now() - interval '2 hours') AS step
        WHERE from_offset <> expected_offset) AS holes,
       (SELECT r.passed
        FROM quality.result AS r
        WHERE (r.suite, r.expectation) = ('traffic_bucket', 'ledger_is_contiguous') AND r.passed IS NOT NULL
        ORDER BY r.run_id DESC
        LIMIT 1) AS last_check_passed,
       (SELECT coalesce(sum(records), 0)::bigint FROM report.lost_range) AS lost
