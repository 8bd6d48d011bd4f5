-- Puts the merged visits in place of those stored. Grain: a visit. Parameters: none (reads visit_delta).
-- A rerun changes nothing.
INSERT INTO stream.visit
    (site, key_id, visitor, started_at, ended_at, hits, page_views, client_errors, line_class, entry_path,
     entry_at, exit_path, exit_at)
SELECT site, key_id, visitor,
       timestamptz 'epoch' + started_us * interval '1 microsecond',
       timestamptz 'epoch' + ended_us * interval '1 microsecond',
       hits, page_views, client_errors, line_class,
       entry_path, timestamptz 'epoch' + entry_us * interval '1 microsecond',
       exit_path, timestamptz 'epoch' + exit_us * interval '1 microsecond'
FROM pg_temp.visit_delta
ON CONFLICT (site, key_id, visitor, started_at) DO UPDATE
SET ended_at = excluded.ended_at, hits = excluded.hits, page_views = excluded.page_views,
    client_errors = excluded.client_errors, line_class = excluded.line_class,
    entry_path = excluded.entry_path, entry_at = excluded.entry_at,
    exit_path = excluded.exit_path, exit_at = excluded.exit_at
