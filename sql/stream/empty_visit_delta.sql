-- Makes room for the merged visits. Grain: all rows. Parameters: none.
TRUNCATE pg_temp.visit_delta
