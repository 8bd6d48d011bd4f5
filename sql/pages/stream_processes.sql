-- The processes as the lease and the launches show them. Grain: a process. Parameters: none. Reads only.
SELECT process, state, pid, since, memory_bytes, ended_24h
FROM report.process
