#!/usr/bin/env bash
# Formats the broker's storage at the first start, then runs the broker.
# The users' passwords reach the storage tool in a file: a command line shows its words to everyone.
set -eu
if [ ! -f /var/lib/kafka/data/meta.properties ]; then
    cluster_id=$(/opt/kafka/bin/kafka-storage.sh random-uuid)
    /opt/kafka/bin/kafka-storage.sh @/run/footfall/kafka.format.arguments --cluster-id "$cluster_id" \
        >/dev/null # it prints what it derived from the passwords
fi
exec /opt/kafka/bin/kafka-server-start.sh /run/footfall/kafka.server.properties
