"""The settings of the Convex destination: which values are accepted, and how malformed ones are reported."""

from __future__ import annotations

import pytest

from {{cookiecutter.project_slug}}.logging.destinations.convex.settings import checked_key, checked_url
from {{cookiecutter.project_slug}}.logging.errors import SettingError

from .convex_helpers import SECRET


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
def test_a_malformed_url_is_reported_in_one_sentence(url: str) -> None:
    """The sentence names the setting and shows no secret."""
    with pytest.raises(SettingError, match=r"^CONVEX_ENDPOINT_URL is [^\n]*it must be the URL") as caught:
        checked_url(url)
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
    """People paste both; plain HTTP is accepted for this machine only."""
    assert checked_url(url) == base


@pytest.mark.parametrize("key", ["", "  ", "with space", "with\nbreak", "schlüssel"])
def test_a_malformed_key_is_reported_without_the_key(key: str) -> None:
    """One sentence names the setting."""
    with pytest.raises(SettingError, match=r"^CONVEX_API_KEY is not [^\n]*$") as caught:
        checked_key(key)
    assert not key.strip() or key not in str(caught.value)
