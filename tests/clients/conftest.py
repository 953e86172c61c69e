"""The installed project, the clients from npm, and sessions of the Python SDK's client, each made once per run."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.backends import BackendError, node
from tests.backends.cache import cached
from tests.support.project import Project, install
from tests.support.serving import Served, serving

from .python_sdk import Conversation, Mode, have_conversation

if TYPE_CHECKING:
    from collections.abc import Iterator

FIXTURES = Path(__file__).with_name("fixtures")
NPM = Path(__file__).with_name("npm")

Converse = Callable[..., Conversation]


@pytest.fixture(scope="session", autouse=True)
def _no_proxy() -> Iterator[None]:
    """Let no proxy of the environment stand between a client and loopback."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_PROXY", "127.0.0.1,localhost")
        yield


@pytest.fixture(scope="session")
def project(run_folder: Path) -> Project:
    """Return a project of the default answers, installed, with the tools of `fixtures/crash.py`."""
    build = partial(install, answers={}, tools=FIXTURES / "crash.py")
    return Project(cached("default", build, root=run_folder))


@pytest.fixture(scope="session")
def npm() -> Path:
    """Return the folder of the packages from npm; fail where they cannot be had, and say which they are."""
    try:
        return node.packages(NPM)
    except BackendError as error:
        reason = str(error)
    pytest.fail(reason, pytrace=False)


@pytest.fixture(scope="session")
def conversation(run_folder: Path, project: Project) -> Converse:
    """Return what has one conversation of each kind with a server, for all workers."""

    def once(transport: str, mode: Mode, *, bare: bool = False) -> Conversation:
        name = f"{'bare' if bare else 'recorded'}-{transport}-{mode}"
        build = partial(have_conversation, project=project, transport=transport, mode=mode, bare=bare)
        return Conversation(cached(name, build, root=run_folder))

    return once


@pytest.fixture(scope="session")
def served(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve over streamable HTTP for all tests that tell their calls apart."""
    with serving(project, tmp_path_factory.mktemp("served")) as server:
        yield server
