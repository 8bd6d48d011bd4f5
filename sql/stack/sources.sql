-- How many lines of each source have been counted or rejected so far. Grain: a source. No parameters; reads only.
SELECT source, lines_counted
FROM report.source
