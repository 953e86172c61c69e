"""Elasticsearch: one node with HTTP on loopback, from its jars alone.

These bring no security, no TLS, no ILM and no data streams, and `GET /` answers 404: ask `/_cluster/health`.
"""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
from pathlib import Path

import httpx

from .backend import Backend, remembered
from .cache import cached
from .java import compile_java, download, java
from .processes import ServerProcess, free_ports

VERSION = "9.2.0"
HERE = Path(__file__).parent
LAUNCHER = HERE / "Launcher.java"
NETTY = Path("modules", "transport-netty4")

CONFIGURATION = """\
cluster.name: tests
node.name: tests
discovery.type: single-node
network.host: 127.0.0.1
http.port: {http}
transport.port: {transport}
path.data: {data}
cluster.routing.allocation.disk.threshold_enabled: false
"""

DESCRIPTOR = """\
description=HTTP and transport over Netty
name=transport-netty4
version={version}
elasticsearch.version={version}
java.version=17
classname=org.elasticsearch.transport.netty4.Netty4Plugin
has.native.controller=false
licensed=false
"""


class Elasticsearch(Backend):
    """One node of the version that is asked for, 9.2.0 and 8.18.8 are known to work."""

    def __init__(self, workdir: Path, *, version: str = VERSION) -> None:
        super().__init__(workdir, ServerProcess(f"Elasticsearch {version}", workdir))
        http, transport = map(str, free_ports(2))
        self._kept = remembered(workdir, http=http, transport=transport)
        self.version = version
        self.url = f"http://127.0.0.1:{self._kept['http']}"

    @property
    def address(self) -> str:
        """Return the URL."""
        return self.url

    def prepare(self) -> None:
        """Make the home folder, which wants its configuration and its modules inside."""
        config = self._home / "config"
        if config.exists():
            return
        for folder in (config, self._home / "lib", self._home / "plugins", self.workdir / "tmp"):
            folder.mkdir(parents=True)
        (self._home / "modules").symlink_to(self._software / "modules")
        shutil.copy(HERE / "log4j2.properties", config)
        settings = CONFIGURATION.format(**self._kept, data=self.workdir / "data")
        (config / "elasticsearch.yml").write_text(settings, encoding="utf-8")

    def command(self) -> list[str]:
        """Return the command that runs the node."""
        return java(
            "-Xms512m",
            "-Xmx512m",
            f"-Djava.io.tmpdir={self.workdir / 'tmp'}",
            f"-Des.nativelibs.path={self._home / 'lib'}",
            "--enable-native-access=org.apache.lucene.core",
            "--module-path",
            os.fspath(self._software / "jars"),
            "--add-modules=ALL-MODULE-PATH",
            "-cp",
            os.fspath(_launcher(self.version)),
            "Launcher",
            os.fspath(self._home),
        )

    def answers(self) -> bool:
        """Tell whether the node has elected itself and all primary shards are there."""
        wanted = {"wait_for_status": "yellow", "timeout": "1s"}
        try:
            # No proxy of the environment may stand between us and loopback.
            with httpx.Client(trust_env=False, timeout=5) as client:
                return client.get(f"{self.url}/_cluster/health", params=wanted).is_success
        except httpx.HTTPError:
            return False

    @property
    def _home(self) -> Path:
        """Return the home folder of this node."""
        return self.workdir / "home"

    @property
    def _software(self) -> Path:
        """Return the jars and modules of this version."""
        return cached(f"elasticsearch-{self.version}", functools.partial(_download, self.version))


def _download(version: str, folder: Path) -> None:
    """Download the server, and as its only module the one that speaks HTTP."""
    jars, module = folder / "jars", folder / NETTY
    download(f"org.elasticsearch:elasticsearch:{version}", jars)
    for jar in download(f"org.elasticsearch.plugin:transport-netty4:{version}", module):
        if (jars / jar.name).exists():
            jar.unlink()
    descriptor = DESCRIPTOR.format(version=version)
    (module / "plugin-descriptor.properties").write_text(descriptor, encoding="utf-8")


def _launcher(version: str) -> Path:
    """Return the folder of the compiled launcher, made anew whenever its source changes."""
    digest = hashlib.sha256(LAUNCHER.read_bytes()).hexdigest()[:8]
    jars = cached(f"elasticsearch-{version}", functools.partial(_download, version)) / "jars"
    name = f"elasticsearch-launcher-{version}-{digest}"
    return cached(name, functools.partial(compile_java, LAUNCHER, class_path=jars))
