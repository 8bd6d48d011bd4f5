-- A run of the checks begins. Parameters: run_label. Returns its number; every call is another run.
INSERT INTO quality.run (run_label) VALUES (%(run_label)s) RETURNING run_id
