-- Hours by state and by seal, over all sites. One row. Reads only.
SELECT hours, hours_open, hours_due, hours_reported, hours_dirty, seals_green, seals_amber, seals_red,
       seals_unchecked, last_made_at, last_sealed_at
FROM report.hour_summary
