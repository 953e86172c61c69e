"""What is particular to the Convex destination without a deployment: its settings, and that they show no secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from helpers import require_backend

from {{cookiecutter.project_slug}}.logging.destinations.convex import ConvexDestination, ConvexSettings
from {{cookiecutter.project_slug}}.logging.errors import SettingError
from {{cookiecutter.project_slug}}.logging.query import MAX_LIMIT, LogQuery

from .convex_helpers import KEY, SECRET, URL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from {{cookiecutter.project_slug}}.logging.destinations.base import LogEntry


class OwnEntries(ConvexDestination):
    """A destination that sees what it wrote itself: a deployment has one table for all."""

    def __init__(self) -> None:
        super().__init__(URL, api_key=KEY)
        self.ids: set[str] = set()

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Write, and remember what."""
        self.ids.update(entry.entry_id for entry in entries)
        await super().write_batch(entries)

    async def query(self, **filters: Any) -> list[LogEntry]:
        """Query, and leave out what others wrote."""
        wanted = LogQuery.of(**filters)
        found = await super().query(**filters | {"limit": MAX_LIMIT, "offset": 0})
        own = [entry for entry in found if entry.entry_id in self.ids]
        return own[wanted.offset : wanted.offset + wanted.limit]


def make_destination(_: str) -> ConvexDestination:
    """Return an unopened destination that begins empty, for the contract suite."""
    address = httpx.URL(URL)
    sentence = f"Convex does not answer at {URL}: `docker compose up -d`, then deploy (docs/destinations/convex.md)."
    require_backend(address.host, address.port or 443, sentence)
    return OwnEntries()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "happy-otter-123.convex.site",
        "ftp://x.convex.site",
        "https://",
        "https://x:99999",
        "https://x/?a=b",
        "https://x/#a",
        "http://x.convex.site",
        f"https://user:{SECRET}@x.convex.site",
    ],
)
def test_a_malformed_url_is_refused_in_one_sentence(url: str) -> None:
    """It names the setting and shows no secret."""
    with pytest.raises(SettingError, match=r"^CONVEX_ENDPOINT_URL is [^\n]*valid is the URL") as caught:
        ConvexDestination(url, api_key=SECRET)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "base"),
    [
        (" https://x.convex.site/ ", "https://x.convex.site"),
        ("https://x.convex.site/logs/ingest", "https://x.convex.site"),
        ("https://x.example/under/logs/ingest/", "https://x.example/under"),
        ("http://localhost:3211", "http://localhost:3211"),
        ("http://[::1]:3211", "http://[::1]:3211"),
    ],
)
def test_the_url_may_end_in_a_slash_or_in_the_route(url: str, base: str) -> None:
    """Both are what people paste; plain HTTP is for this machine."""
    assert ConvexDestination(url, api_key=SECRET)._client.url == base


@pytest.mark.parametrize("key", ["", "  ", "with space", "with\nbreak", "schlüssel"])
def test_a_malformed_key_is_refused_without_being_shown(key: str) -> None:
    """One sentence names the setting."""
    with pytest.raises(SettingError, match=r"^CONVEX_API_KEY is not [^\n]*$") as caught:
        ConvexDestination("https://x.convex.site", api_key=key)
    assert not key.strip() or key not in str(caught.value)


def test_no_secret_is_shown() -> None:
    """Neither by the settings nor by the destination."""
    settings = ConvexSettings(convex_endpoint_url="https://x.convex.site", convex_api_key=SECRET)
    destination = ConvexDestination.from_config(settings)
    assert SECRET not in f"{settings!r} {destination!r} {vars(destination)!r}"


def test_a_write_gives_up_before_the_attempt_is_cut_off() -> None:
    """So that it can say why; reading has the whole time."""
    settings = ConvexSettings(
        convex_endpoint_url="https://x.convex.site", convex_api_key=SECRET, log_write_timeout_ms=5_000
    )
    destination = ConvexDestination.from_config(settings)
    assert (destination.write_timeout, destination.timeout) == (4.0, 10.0)


async def test_closing_what_was_never_opened_is_fine() -> None:
    """Once and twice."""
    destination = ConvexDestination("https://x.convex.site", api_key=SECRET)
    await destination.close()
    await destination.close()
