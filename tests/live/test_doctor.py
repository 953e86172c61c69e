"""`doctor` says what is wrong with a backend that is not there, or does not answer, and how to fix it."""

from __future__ import annotations

import re
import socket
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.backends.processes import free_ports

from .conftest import LABELS, PRODUCTION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.project import Project

SECRET = "a-secret-of-ours"


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port: int = listener.getsockname()[1]
        yield port


@pytest.mark.parametrize("name", PRODUCTION)
def test_a_backend_that_is_not_there(project: Project, name: str, tmp_path: Path) -> None:
    """The sentence names it and its address."""
    (port,) = free_ports(1)

    said = _failure(project, tmp_path, name, port)

    assert LABELS[name] in said
    assert f"127.0.0.1:{port}" in said or f"'127.0.0.1', {port}" in said


@pytest.mark.parametrize("name", PRODUCTION)
def test_a_backend_that_does_not_answer(project: Project, silent_port: int, name: str, tmp_path: Path) -> None:
    """The sentence tells for how long it was waited for."""
    said = _failure(project, tmp_path, name, silent_port)

    assert re.search(r"(no answer|not answer|not answered) within 0\.\d+ s", said)


def _failure(project: Project, folder: Path, name: str, port: int) -> str:
    """Return what `doctor` has to say about a destination at a port."""
    settings = {
        "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{port}",
        "ELASTICSEARCH_HOSTS": f"http://elastic:{SECRET}@127.0.0.1:{port}",
        "POSTGRES_DSN": f"postgresql://me:{SECRET}@127.0.0.1:{port}/me",
        "CONVEX_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "CONVEX_API_KEY": SECRET,
        "LOG_WRITE_TIMEOUT_MS": "800",
        "LOG_DESTINATION_TYPE": name,
        "ENABLE_LOCAL_LOGGING": "false",
        "ENABLE_PRODUCTION_LOGGING": "true",
    }
    done = project.run(folder, "doctor", **settings)
    assert (done.returncode, done.stdout.count("FAIL"), done.stderr) == (1, 1, ""), done.stdout + done.stderr
    assert SECRET not in done.stdout
    _, _, failure, fix_hint, *_ = done.stdout.splitlines()
    assert failure.startswith(f"FAIL  {name}: ")
    assert re.fullmatch(
        rf" +to fix it: {name.upper()}_[A-Z_]+ must name .*; see docs/destinations/{name}\.md", fix_hint
    )
    return failure.partition(": ")[2]
