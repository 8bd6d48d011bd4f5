-- Ends of the stream job, the newest first, and what they did to the records. Grain: a launch that ended.
-- Parameters: hours (how far back), most (rows). Reads only.
SELECT job, epoch, ended_at, end_reason, relaunched_at, next_epoch, counting_again_at, offsets_missing, offsets_doubled
FROM report.stream_restart
WHERE ended_at > now() - make_interval(hours => %(hours)s::integer) AND job = 'traffic_stream'
ORDER BY ended_at DESC
LIMIT %(most)s::integer
