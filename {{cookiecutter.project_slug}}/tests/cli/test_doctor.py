"""`doctor`: check the configuration, the destinations and the tools."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from helpers import PROGRAMS, program_path

from {{cookiecutter.project_slug}} import tools
from {{cookiecutter.project_slug}}.cli import main
from {{cookiecutter.project_slug}}.config import ServerConfig, destination_of
from {{cookiecutter.project_slug}}.logging.destinations import LOCAL
from {{cookiecutter.project_slug}}.logging.destinations.driver import PACKAGE
from {{cookiecutter.project_slug}}.logging.redaction import RECOGNISED

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable


def test_doctor_writes_a_probe_and_reads_it_back(
    own_logging: Callable[[], list[dict[str, Any]]], isolated: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 0; the output names the configuration files and the disabled destinations."""
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert f"ok    configuration: no .env and no config.yaml in {isolated}, transport stdio" in out
    assert "ok    jsonl: a test entry was written and read back\n" in out
    assert f"ok    redaction: {RECOGNISED} are recognised, other secrets are not; see docs/redaction.md\n" in out
    assert all(f"off   {name}: switched off by ENABLE_LOCAL_LOGGING=false" in out for name in LOCAL)
    assert own_logging()[0]["correlation_id"].startswith("doctor-")


@pytest.mark.parametrize(
    ("destination", "finding"),
    [
        ("fake_destinations:HangingDestination", "FAIL  memory: no answer within 0.05 s\n"),
        ("nowhere:Class", "FAIL  nowhere:Class: LOG_DEST"),
        ("fake_destinations:ForgetfulDestination", "FAIL  forgetful: a test entry was written, but it is not found\n"),
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


def load_tools_from(monkeypatch: pytest.MonkeyPatch, *names: str) -> Path:
    """Replace the tools of this project by those of folders in `fixtures/tools`; return the folder of these folders."""
    folder = PROGRAMS / "tools"
    monkeypatch.setattr(tools, "__path__", [str(folder / name) for name in names])
    return folder


def test_doctor_lists_what_the_tool_modules_offer(
    own_logging: Callable[[], list[dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """By name, resources also by URI; the only entry in the store is that of the probe."""
    load_tools_from(monkeypatch, "own")
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "\nok    tools: say, process_id, " in out
    assert "\nok    resources: manual (manual://{topic})\n" in out
    assert "\nok    prompts: greet\n" in out
    assert [entry["correlation_id"].partition("-")[0] for entry in own_logging()] == ["doctor"]


def test_doctor_reports_every_failing_tool_module(
    own_logging: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the last line of its traceback and the place; what the modules print is not on stdout; the exit code is 1."""
    folder = load_tools_from(monkeypatch, "missing_import", "exiting", "without_register", "own")
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    missing, exiting = (folder / name / f"{name}.py" for name in ("missing_import", "exiting"))
    problem = "has no function register(server): add one, or begin its name with an underscore"
    assert [line for line in out.splitlines() if line.startswith("FAIL")] == [
        f"FAIL  tools: ModuleNotFoundError: No module named 'not_installed_anywhere' ({missing}, line 5)",
        f"FAIL  tools: SystemExit: set WEATHER_URL ({exiting}, line 5)",
        f"FAIL  tools: the tool module without_register {problem}",
    ]
    assert "ok    tools: say, process_id, " in out
    assert "printed by a failing module" not in out


@pytest.mark.parametrize(("name", "code"), [("working_with_a_thread", 0), ("leaving_a_thread", 1)])
def test_a_thread_of_a_tool_module_does_not_delay_the_end(
    own_logging: object, run: Callable[..., subprocess.CompletedProcess[str]], name: str, code: int
) -> None:
    """All findings are printed."""
    done = run(program_path("serve_with_tools"), str(PROGRAMS / "tools" / name), "doctor")
    assert done.returncode == code
    assert "\nok    prompts: " in done.stdout


def test_doctor_without_tools_says_so(
    own_logging: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A server without tools is not a failure."""
    monkeypatch.setattr(tools, "__path__", [str(tmp_path / "nowhere")])
    assert main(["doctor"]) == 0
    assert "ok    tools: none\n" in capsys.readouterr().out


def test_doctor_reports_keys_that_are_not_settings(own_logging: object, capsys: pytest.CaptureFixture[str]) -> None:
    """Of both files; that is not a failure, because other programs may use `.env`."""
    Path(".env").write_text("LOG_LEVLE=DEBUG\n")
    Path("config.yaml").write_text("log_formt: json\n")
    assert main(["doctor"]) == 0
    out, err = capsys.readouterr()
    assert "\nwarn  .env: LOG_LEVLE is not a setting; did you mean LOG_LEVEL?\n" in out
    assert "\nwarn  config.yaml: log_formt is not a setting; did you mean log_format?\n" in out
    assert err == ""
