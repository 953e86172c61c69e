"""`doctor`: check the configuration and the destinations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from {{cookiecutter.project_slug}}.cli import main
from {{cookiecutter.project_slug}}.config import ServerConfig, destination_of
from {{cookiecutter.project_slug}}.logging.destinations import LOCAL
from {{cookiecutter.project_slug}}.logging.destinations.driver import PACKAGE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_doctor_writes_a_probe_and_reads_it_back(
    own_logging: Callable[[], list[dict[str, Any]]], isolated: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 0; the output names the configuration files and the disabled destinations."""
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert f"ok    configuration: no .env and no config.yaml in {isolated}, transport stdio" in out
    assert "ok    jsonl: written 1, retried 0, dropped 0, failed 0, queued 0 (read back)" in out
    assert all(f"off   {name}: switched off by ENABLE_LOCAL_LOGGING=false" in out for name in LOCAL)
    assert own_logging()[0]["correlation_id"].startswith("doctor-")


@pytest.mark.parametrize(
    ("destination", "finding"),
    [
        ("fake_destinations:HangingDestination", "FAIL  memory: written 0"),
        ("nowhere:Class", "FAIL  nowhere:Class: LOG_DEST"),
        (
            "fake_destinations:ForgetfulDestination",
            "FAIL  forgetful: written 1, retried 0, dropped 0, failed 0, queued 0 (written,",
        ),
    ],
    ids=["hanging", "unknown", "forgetful"],
)
def test_doctor_reports_a_failing_destination(
    own_logging: object,
    destination: str,
    finding: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A hint how to fix it follows in the next line; the exit code is 1."""
    monkeypatch.setattr(f"{PACKAGE}.cli.doctor.PATIENCE", 0.2)
    settings = ["--log-write-timeout-ms", "50", "--log-drain-timeout-ms", "50"]
    assert main(["doctor", "--log-destination-type", destination, *settings]) == 1
    out = capsys.readouterr().out
    assert f"\n{finding}" in out
    assert out.partition("FAIL")[2].splitlines()[1].startswith("      to fix it: LOG_DESTINATION_TYPE must name ")


def test_doctor_does_not_read_from_a_write_only_destination(
    own_logging: object, capsys: pytest.CaptureFixture[str]
) -> None:
    """It reports that the probe was not read back, which is not a failure."""
    assert main(["doctor", "--log-destination-type", "fake_destinations:WriteOnlyDestination"]) == 0
    assert "(write-only: not read back)" in capsys.readouterr().out


def test_doctor_without_destinations_names_stderr(own_logging: object, capsys: pytest.CaptureFixture[str]) -> None:
    """Logging to stderr alone is not a failure."""
    assert main(["doctor", "--enable-production-logging", "false"]) == 0
    assert "ok    stderr: the only destination" in capsys.readouterr().out


def test_doctor_shows_the_settings_of_a_destination(own_logging: object, capsys: pytest.CaptureFixture[str]) -> None:
    """Each is shown as its environment variable."""
    assert main(["doctor", "--enable-production-logging", "false", "--enable-local-logging"]) == 0
    out = capsys.readouterr().out
    assert all(f"{name.upper()}=" in out for name in ServerConfig.model_fields if destination_of(name) in LOCAL)
