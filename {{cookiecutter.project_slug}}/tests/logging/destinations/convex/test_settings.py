"""The settings of the Convex destination: which values are accepted, and how malformed ones are reported."""

from __future__ import annotations

import pytest

from {{cookiecutter.project_slug}}.cli import main
from {{cookiecutter.project_slug}}.logging.destinations.convex import ConvexDestination
from {{cookiecutter.project_slug}}.logging.destinations.convex.settings import (
    checked_key,
    checked_url,
    is_placeholder,
)
from {{cookiecutter.project_slug}}.logging.errors import AccessError, SettingError

from .convex_helpers import SECRET, make_settings

PLACEHOLDERS = [
    "https://your-deployment.convex.site",
    "https://your-deployment.convex.site/logs/ingest",
    "https://your-deployment.convex.cloud",
]


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
        ("https://x.convex.cloud", "https://x.convex.site"),
        ("https://x.eu-west-1.CONVEX.cloud:443/", "https://x.eu-west-1.convex.site:443"),
        ("https://x.example/x.convex.cloud", "https://x.example/x.convex.cloud"),
        ("https://x.convex.cloud.example", "https://x.convex.cloud.example"),
    ],
)
def test_the_url_may_end_in_a_slash_or_in_the_route(url: str, base: str) -> None:
    """People paste both, or the URL for Convex's clients; plain HTTP is accepted for this machine only."""
    assert checked_url(url) == base


@pytest.mark.parametrize("url", PLACEHOLDERS)
async def test_a_placeholder_is_accepted_but_nothing_is_sent(url: str) -> None:
    """The key would reach a stranger; the sentence says what to set."""
    destination = ConvexDestination.from_config(make_settings(url, SECRET))
    for use in (destination.open, destination.query):
        with pytest.raises(AccessError, match=r"^CONVEX_ENDPOINT_URL is still the placeholder https://your-.*; set it"):
            await use()


@pytest.mark.parametrize("url", ["https://yours-1.convex.site", "https://your-deployment.example", "http://localhost"])
def test_other_urls_are_accepted(url: str) -> None:
    """No deployment of Convex's has a name that begins with `your-`."""
    assert not is_placeholder(url)


def test_doctor_says_that_the_url_is_a_placeholder(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is a failure, reported without a request."""
    settings = {
        "ENABLE_LOCAL_LOGGING": "false",
        "ENABLE_PRODUCTION_LOGGING": "true",
        "LOG_DESTINATION_TYPE": "convex",
        "CONVEX_ENDPOINT_URL": PLACEHOLDERS[0],
        "CONVEX_API_KEY": SECRET,
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert main(["doctor"]) == 1
    finding = capsys.readouterr().out.partition("FAIL")[2]
    assert f"CONVEX_ENDPOINT_URL is still the placeholder {PLACEHOLDERS[0]}; set it to" in finding


@pytest.mark.parametrize("key", ["", "  ", "with space", "with\nbreak", "schlüssel"])
def test_a_malformed_key_is_reported_without_the_key(key: str) -> None:
    """One sentence names the setting."""
    with pytest.raises(SettingError, match=r"^CONVEX_API_KEY is not [^\n]*$") as caught:
        checked_key(key)
    assert not key.strip() or key not in str(caught.value)
