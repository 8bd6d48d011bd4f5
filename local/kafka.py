"""The embedded broker: one JVM that is KRaft controller and broker, loopback only, SASL on every listener.

Clients log in with SCRAM-SHA-512. The controller's own listener uses PLAIN, because SCRAM credentials live
in the metadata log, which the controller has to serve first.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import get_args

from local.secrets import controller_password, new_cluster_id
from local.state_folder import keep_private, private_folder, write_private
from settings import KafkaUser, Settings

ADMIN: KafkaUser = "footfall_admin"
CONTROLLER = "controller"
LARGEST_RECORD_BYTES = 1024 * 1024
_PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule"
_SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"


class KafkaFailed(Exception):
    """The broker's storage could not be formatted; the message holds the tool's last words."""


def prepare_kafka(settings: Settings, java: str) -> None:
    """Write the broker's configuration, and format its storage with our users when it is new."""
    room = private_folder(settings.home / "kafka")
    private_folder(settings.logs / "kafka")
    write_private(room / "server.properties", server_properties(settings))
    write_private(room / "log4j2.properties", log4j2_properties(settings.logs / "kafka"))
    if not (room / "data" / "meta.properties").exists():
        _format(settings, room, java)


def kafka_command(settings: Settings, java: str) -> list[str]:
    """The broker as a foreground process."""
    room = settings.home / "kafka"
    return [
        java,
        "-Xms256m",
        "-Xmx512m",
        "-XX:+UseG1GC",
        "-XX:MaxGCPauseMillis=20",
        "-XX:+ExitOnOutOfMemoryError",
        "-Djava.awt.headless=true",
        "-Djava.net.preferIPv4Stack=true",
        f"-Dlog4j2.configurationFile={room / 'log4j2.properties'}",
        "-cp",
        f"{settings.home / 'jars' / 'kafka'}/*",
        "kafka.Kafka",
        str(room / "server.properties"),
    ]


def server_properties(settings: Settings) -> str:
    """Text of ``server.properties``; it holds passwords, so the file is 0600."""
    admin = settings.kafka_password(ADMIN)
    controller = controller_password(settings)
    client_port, controller_port = settings.kafka_port, settings.kafka_controller_port
    return f"""\
# Written by every start of the stack.
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller_port}
listeners=CLIENT://127.0.0.1:{client_port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=CLIENT://127.0.0.1:{client_port},CONTROLLER://127.0.0.1:{controller_port}
listener.security.protocol.map=CLIENT:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT
inter.broker.listener.name=CLIENT
controller.listener.names=CONTROLLER
log.dirs={settings.home / "kafka" / "data"}

sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512
sasl.mechanism.controller.protocol=PLAIN
listener.name.client.sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.client.scram-sha-512.sasl.jaas.config={_SCRAM} required username="{ADMIN}" password="{admin}";
listener.name.controller.sasl.enabled.mechanisms=PLAIN
listener.name.controller.plain.sasl.jaas.config={_PLAIN} required username="{CONTROLLER}" \
password="{controller}" user_{CONTROLLER}="{controller}";
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=false
super.users=User:{ADMIN};User:{CONTROLLER}

auto.create.topics.enable=false
delete.topic.enable=true
message.max.bytes={LARGEST_RECORD_BYTES}
num.partitions=4
log.retention.hours=48
log.segment.bytes=134217728
log.retention.check.interval.ms=60000
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
num.network.threads=2
num.io.threads=4
"""


def log4j2_properties(folder: Path) -> str:
    """Text of the broker's log settings: one file, five older ones of 10 MB."""
    return f"""\
status = error
appender.file.type = RollingFile
appender.file.name = file
appender.file.fileName = {folder}/server.log
appender.file.filePattern = {folder}/server.%i.log
appender.file.filePermissions = rw-------
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{{yyyy-MM-dd'T'HH:mm:ss.SSS'Z'}}{{UTC}} %p %c{{1}} %m%n
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 10MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 5
rootLogger.level = info
rootLogger.appenderRef.file.ref = file
"""


def _format(settings: Settings, room: Path, java: str) -> None:
    cluster_id = keep_private(room / "cluster_id", new_cluster_id())
    words = ["format", "--standalone", "--ignore-formatted", "--cluster-id", cluster_id]
    words += ["--config", str(room / "server.properties")]
    for user in get_args(KafkaUser):
        words += ["--add-scram", f"SCRAM-SHA-512=[name={user},password={settings.kafka_password(user)}]"]
    _storage_tool(settings, room, java, words)


def _storage_tool(settings: Settings, room: Path, java: str, words: list[str]) -> None:
    """Run Kafka's storage tool; its words go through a private file, since a command line shows them to all."""
    with tempfile.NamedTemporaryFile("w", dir=room, encoding="utf-8") as arguments:
        arguments.write("\n".join(words))
        arguments.flush()
        command = [java, "-cp", f"{settings.home / 'jars' / 'kafka'}/*"]
        command += [f"-Dlog4j2.configurationFile={room / 'log4j2.properties'}"]
        command += ["kafka.tools.StorageTool", f"@{arguments.name}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode != 0:
        raise KafkaFailed(f"Kafka's storage tool failed: {(done.stderr or done.stdout).strip()[-500:]}")
