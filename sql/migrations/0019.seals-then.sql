-- depends: 0018.minutes
-- The seal of a revision as it was known at a moment: a later verdict does not reach back into a report shown as of then.

SET LOCAL ROLE footfall_owner;

CREATE FUNCTION quality.seal_at(
    site text, start_at timestamptz, end_at timestamptz, moment timestamptz DEFAULT 'infinity'
) RETURNS TABLE (
    hour_start timestamptz, revision integer, seal text, reason text, run_id bigint, sealed_at timestamptz,
    audit_id bigint, audit_verdict text, audited_at timestamptz
)
    LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT r.hour_start, r.revision,
           CASE WHEN a.verdict = 'differs' THEN 'red' ELSE coalesce(s.seal, 'unchecked') END,
           CASE WHEN a.verdict = 'differs' THEN left('audit ' || a.audit_id || ': ' || a.reason
                    || coalesce('; ' || CASE WHEN s.seal IN ('red', 'amber') THEN s.reason END, ''), 500)
                WHEN s.seal IS NOT NULL THEN s.reason
                WHEN r.made_at = max(r.made_at) OVER (PARTITION BY r.hour_start) THEN 'not checked yet'
                ELSE 'a newer revision came before it was checked' END,
           s.run_id, CASE WHEN a.verdict = 'differs' THEN a.audited_at ELSE s.sealed_at END,
           a.audit_id, a.verdict, a.audited_at
    FROM report.hour_revision AS r
    LEFT JOIN quality.hour_seal AS s
        ON s.site = r.site AND s.hour_start = r.hour_start AND s.revision = r.revision AND s.sealed_at <= seal_at.moment
    LEFT JOIN LATERAL (
        SELECT h.audit_id, h.verdict, h.reason, q.finished_at AS audited_at
        FROM quality.audit_hour AS h
        JOIN quality.audit AS q USING (audit_id)
        WHERE h.site = r.site AND h.hour_start = r.hour_start AND h.revision = r.revision AND h.verdict <> 'unchecked'
          AND q.finished_at <= seal_at.moment
        ORDER BY h.audit_id DESC
        LIMIT 1
    ) AS a ON true
    WHERE r.site = seal_at.site AND r.hour_start >= seal_at.start_at AND r.hour_start < seal_at.end_at
      AND r.made_at <= seal_at.moment
$$;
COMMENT ON FUNCTION quality.seal_at IS 'The seal of every revision published by a moment, as quality.revision_seal said then: the worse of what the checks and the latest audit had found. A verdict of unchecked that was replaced later is told as not checked yet.';

RESET ROLE;
