-- A launched stream job says which epoch it took. Grain: a launch. Parameters: launch_id, epoch.
UPDATE stream.launch SET epoch = %(epoch)s WHERE launch_id = %(launch_id)s::uuid
