"""The destinations of a project: which there are, and what they hold."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

import pytest
from fake_destinations import JSON_LINES, JsonLinesDestination

from {{cookiecutter.project_slug}}.cli.ui import stores
from {{cookiecutter.project_slug}}.cli.ui.stores import Stores
from {{cookiecutter.project_slug}}.config import ServerConfig, load_config
from {{cookiecutter.project_slug}}.logging.destinations import LOCAL, PRODUCTION
from {{cookiecutter.project_slug}}.logging.destinations.base import LogDestination
from {{cookiecutter.project_slug}}.logging.entry import iso_utc
from {{cookiecutter.project_slug}}.logging.errors import SettingError

from ..cli_helpers import NOON, make_call

if TYPE_CHECKING:
    from collections.abc import Callable

MODULE = "tests.cli.ui.test_stores"


class Hanging(LogDestination):
    """Answer nothing; tell whether it was closed."""

    closed = 0

    @classmethod
    def from_config(cls, _: object) -> Self:
        """Build the destination as the factory does."""
        return cls()

    async def write(self, entry: object) -> None:
        """Accept an entry."""

    async def query(self, **_: Any) -> list[Any]:
        """Wait."""
        await asyncio.Event().wait()
        return []

    async def close(self) -> None:
        """Count the calls."""
        Hanging.closed += 1


def test_the_destinations_of_the_project_are_listed(own_logging: object) -> None:
    """The enabled ones first, also those of the user's own; then the others that the project has."""
    names = Stores(load_config()).names()
    assert next(iter(names)) == JSON_LINES
    assert names == {JSON_LINES: True, **dict.fromkeys([*LOCAL, *PRODUCTION], False)}


@pytest.mark.parametrize("name", LOCAL)
async def test_a_local_destination_tells_what_it_holds(name: str) -> None:
    """Its entries, the oldest and the newest, and their size."""
    config = ServerConfig(log_retention_days=0)
    before = await Stores(config).describe(name)
    assert (before["entries"], before["oldest"], before["newest"]) == (0, None, None)
    destination = LOCAL[name].from_config(config)
    await destination.write_batch([make_call(timestamp=NOON - timedelta(hours=n)) for n in range(3)])
    await destination.close()
    after = await Stores(config).describe(name)
    assert after.pop("size_bytes") > 0
    assert after == {"entries": 3, "oldest": iso_utc(NOON - timedelta(hours=2)), "newest": iso_utc(NOON)}


async def test_a_destination_of_the_users_own_tells_its_newest_entry(
    own_logging: object, record: Callable[..., None], tmp_path: object
) -> None:
    """It needs nothing but `query`; what it cannot tell is null."""
    await JsonLinesDestination.from_config(None).write(make_call(timestamp=NOON))
    described = await Stores(load_config()).describe(JSON_LINES)
    assert described == {"entries": None, "oldest": None, "newest": iso_utc(NOON), "size_bytes": None}


async def test_an_unknown_name_is_refused(own_logging: object) -> None:
    """Nothing else can be built by asking for it."""
    for name in ("nowhere", "fake_destinations:MemoryDestination", ""):
        with pytest.raises(SettingError, match="the destination must be one of fake_destinations:Json"):
            await Stores(load_config()).describe(name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("fake_destinations:WriteOnlyDestination", {"note": "custom is write-only: it cannot be queried"}),
        ("fake_destinations:Nothing", {"problem": "has no Nothing"}),
    ],
)
async def test_what_cannot_be_read_is_said(
    own_logging: object, monkeypatch: pytest.MonkeyPatch, name: str, expected: dict[str, str]
) -> None:
    """Write-only is no problem, but a note."""
    monkeypatch.setenv("LOG_DESTINATION_TYPE", name)
    described = await Stores(load_config()).describe(name)
    ((kind, sentence),) = described.items()
    assert kind in expected
    assert kind == "problem" or sentence == expected[kind]


async def test_a_destination_that_does_not_answer_is_left(own_logging: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """And closed."""
    monkeypatch.setattr(stores, "PATIENCE", 0.05)
    monkeypatch.setattr(stores, "create_destination", lambda *_: Hanging())
    assert await Stores(load_config()).describe(JSON_LINES) == {"problem": f"{JSON_LINES} did not answer within 0.05 s"}
    assert Hanging.closed == 1
