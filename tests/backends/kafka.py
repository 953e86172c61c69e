"""Apache Kafka: one KRaft node with a listener for each way in, and one that is only reached through a proxy."""

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

LISTENERS = ("plain", "hidden", "ssl", "sasl", "sasl_plain")
"""What clients connect to, by the names of the ports."""
SCRAM = ("SCRAM-SHA-256", "SCRAM-SHA-512")

CONFIGURATION = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listeners=PLAINTEXT://127.0.0.1:{plain},CONTROLLER://127.0.0.1:{controller},HIDDEN://127.0.0.1:{hidden},\
SSL://127.0.0.1:{ssl},SASL_SSL://127.0.0.1:{sasl},SASL_PLAINTEXT://127.0.0.1:{sasl_plain}
advertised.listeners=PLAINTEXT://127.0.0.1:{plain},HIDDEN://localhost:{advertised},\
SSL://127.0.0.1:{ssl},SASL_SSL://127.0.0.1:{sasl},SASL_PLAINTEXT://127.0.0.1:{sasl_plain}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,HIDDEN:PLAINTEXT,\
SSL:SSL,SASL_SSL:SASL_SSL,SASL_PLAINTEXT:SASL_PLAINTEXT
listener.name.ssl.ssl.keystore.type=PEM
listener.name.ssl.ssl.keystore.location={keystore}
listener.name.ssl.ssl.truststore.type=PEM
listener.name.ssl.ssl.truststore.location={ca}
listener.name.ssl.ssl.client.auth=required
listener.name.sasl_ssl.ssl.keystore.type=PEM
listener.name.sasl_ssl.ssl.keystore.location={keystore}
listener.name.sasl_ssl.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.sasl_ssl.plain.sasl.jaas.config={plain_login}
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config={scram_login}
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={scram_login}
listener.name.sasl_plaintext.sasl.enabled.mechanisms=PLAIN
listener.name.sasl_plaintext.plain.sasl.jaas.config={plain_login}
log.dirs={data}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
"""
PLAIN_LOGIN = 'org.apache.kafka.common.security.plain.PlainLoginModule required user_{username}="{password}";'
SCRAM_LOGIN = "org.apache.kafka.common.security.scram.ScramLoginModule required;"


class Kafka(Backend):
    """One broker; topics come into being when they are first written to.

    It listens on `hidden_port` as well, and tells who comes that way to go on at `advertised_port` of localhost, where
    nobody listens: that is for a proxy of one's own.
    """

    def __init__(self, workdir: Path, *, certificates: Certificates | None = None) -> None:
        super().__init__(workdir, ServerProcess(f"Apache Kafka {VERSION}", workdir))
        names = ("controller", "advertised", *LISTENERS)
        ports = dict(zip(names, map(str, free_ports(len(names))), strict=True))
        self._kept = remembered(workdir, password=secrets.token_urlsafe(16), **ports)
        self._certificates = certificates or Certificates(workdir / "certificates")
        self.bootstrap_servers = f"127.0.0.1:{self._kept['plain']}"
        self.ssl_bootstrap_servers = f"127.0.0.1:{self._kept['ssl']}"
        self.sasl_bootstrap_servers = f"127.0.0.1:{self._kept['sasl']}"
        self.sasl_plain_bootstrap_servers = f"127.0.0.1:{self._kept['sasl_plain']}"
        self.hidden_port = int(self._kept["hidden"])
        self.advertised_port = int(self._kept["advertised"])
        self.username = "tester"
        self.password = self._kept["password"]
        self.ca_file = self._certificates.ca_file
        self.wrong_ca_file = self._certificates.wrong_ca_file
        # A server's, and good for clients as well: the CA puts both uses into what it signs.
        self.client_certificate_file = self._certificates.certificate_file
        self.client_key_file = self._certificates.key_file

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
                **self._kept,
                keystore=self._certificates.keystore_file,
                ca=self.ca_file,
                plain_login=PLAIN_LOGIN.format(username=self.username, password=self.password),
                scram_login=SCRAM_LOGIN,
                data=self._data,
            ),
            encoding="utf-8",
        )
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        arguments = ["format", "-t", f"_{cluster[1:]}", "-c", os.fspath(self._configuration)]
        for mechanism in SCRAM:
            arguments += ["--add-scram", f"{mechanism}=[name={self.username},password={self.password}]"]
        self.server.run(self._java("kafka.tools.StorageTool", *arguments), "formatting its data folder")

    def command(self) -> list[str]:
        """Return the command that runs the broker."""
        return self._java("kafka.Kafka", os.fspath(self._configuration))

    def answers(self) -> bool:
        """Tell whether the broker is in its own metadata and every listener is open."""
        if not all(listens(int(self._kept[port])) for port in LISTENERS):
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
