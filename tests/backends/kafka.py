"""Apache Kafka: one KRaft node with a plain listener and a TLS listener that wants a password."""

from __future__ import annotations

import base64
import logging
import os
import secrets
import uuid
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from .backend import Backend, remembered
from .cache import cached
from .certificates import Certificates
from .java import download, java
from .processes import ServerProcess, free_ports, listens

VERSION = "4.1.0"
COORDINATES = (
    f"org.apache.kafka:kafka_2.13:{VERSION}",
    # What Kafka's own archive adds: without it nothing is logged.
    "org.apache.logging.log4j:log4j-slf4j-impl:2.24.3",
)
LOGGING = Path(__file__).with_name("log4j2.properties")

CONFIGURATION = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listeners=PLAINTEXT://127.0.0.1:{plain},CONTROLLER://127.0.0.1:{controller},SASL_SSL://127.0.0.1:{sasl}
advertised.listeners=PLAINTEXT://127.0.0.1:{plain},SASL_SSL://127.0.0.1:{sasl}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL
listener.name.sasl_ssl.ssl.keystore.type=PEM
listener.name.sasl_ssl.ssl.keystore.location={keystore}
listener.name.sasl_ssl.sasl.enabled.mechanisms=PLAIN
listener.name.sasl_ssl.plain.sasl.jaas.config=\
org.apache.kafka.common.security.plain.PlainLoginModule required user_{username}="{password}";
log.dirs={data}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
"""


class Kafka(Backend):
    """One broker; topics come into being when they are first written to."""

    def __init__(self, workdir: Path, *, certificates: Certificates | None = None) -> None:
        super().__init__(workdir, ServerProcess(f"Apache Kafka {VERSION}", workdir))
        plain, controller, sasl = map(str, free_ports(3))
        self._kept = remembered(
            workdir, plain=plain, controller=controller, sasl=sasl, password=secrets.token_urlsafe(16)
        )
        self._certificates = certificates or Certificates(workdir / "certificates")
        self.bootstrap_servers = f"127.0.0.1:{self._kept['plain']}"
        self.sasl_bootstrap_servers = f"127.0.0.1:{self._kept['sasl']}"
        self.username = "tester"
        self.password = self._kept["password"]
        self.ca_file = self._certificates.ca_file
        self.wrong_ca_file = self._certificates.wrong_ca_file

    @property
    def address(self) -> str:
        """Return the plain listener."""
        return self.bootstrap_servers

    def prepare(self) -> None:
        """Write the configuration and format the data folder."""
        if self._data.exists():
            return
        self._configuration.write_text(
            CONFIGURATION.format(
                **self._kept, username=self.username, keystore=self._certificates.keystore_file, data=self._data
            ),
            encoding="utf-8",
        )
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        arguments = ("format", "-t", f"_{cluster[1:]}", "-c", os.fspath(self._configuration))
        self.server.run(self._java("kafka.tools.StorageTool", *arguments), "formatting its data folder")

    def command(self) -> list[str]:
        """Return the command that runs the broker."""
        return self._java("kafka.Kafka", os.fspath(self._configuration))

    def answers(self) -> bool:
        """Tell whether the broker is in its own metadata and the TLS listener is open."""
        if not all(listens(int(self._kept[port])) for port in ("plain", "sasl")):
            return False
        client = AdminClient({"bootstrap.servers": self.bootstrap_servers}, logger=logging.getLogger(__name__))
        try:
            return bool(client.list_topics(timeout=2).brokers)
        except KafkaException:
            return False

    @property
    def _data(self) -> Path:
        """Return the folder of all topics."""
        return self.workdir / "data"

    @property
    def _configuration(self) -> Path:
        """Return the broker's configuration file."""
        return self.workdir / "server.properties"

    def _java(self, *arguments: str) -> list[str]:
        """Return the command that runs one of Kafka's programs."""
        jars = cached(f"kafka-{VERSION}", _download)
        return java("-Xmx512m", f"-Dlog4j2.configurationFile={LOGGING}", "-cp", f"{jars}/*", *arguments)


def _download(folder: Path) -> None:
    """Download Kafka and its logging."""
    for coordinate in COORDINATES:
        download(coordinate, folder)
