-- Leaves in new_value what got no row of its own. Grain: as new_value. Parameters: none. A rerun changes nothing.
DELETE FROM pg_temp.new_value AS new
WHERE EXISTS (
    SELECT FROM stream.own_row AS own
    WHERE (own.site, own.day_start, own.dimension, own.value)
        = (new.site, new.day_start, new.dimension, new.value)
    OFFSET 0)
