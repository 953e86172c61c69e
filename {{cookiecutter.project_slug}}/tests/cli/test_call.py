"""`call`: run one tool, recorded as any other call."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from helpers import PROGRAMS, program_path, until
from mcp.types import CallToolResult, ImageContent, TextContent

from {{cookiecutter.project_slug}} import __version__, tools
from {{cookiecutter.project_slug}}.choices import COMMAND
from {{cookiecutter.project_slug}}.cli import main
from {{cookiecutter.project_slug}}.cli.call import blocks_of

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    Entries = Callable[[], list[dict[str, Any]]]

FOLDER = PROGRAMS / "tools" / "own"
"""The folder of the tools that these tests call."""


@pytest.fixture(autouse=True)
def own_tools(own_logging: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the tools of this project, which an owner may change."""
    monkeypatch.setattr(tools, "__path__", [str(FOLDER)])


def calls(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the calls among the entries."""
    return [entry for entry in entries if entry["log_type"] == "tool_execution"]


@pytest.mark.parametrize("arguments", [["text=hi"], ['{"text": "hi"}']])
def test_stdout_is_the_result_and_nothing_else(
    own_logging: Entries, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """What the tool prints is not on stdout; the call is recorded with a client that is named after the command."""
    assert main(["call", "say", *arguments]) == 0
    assert capsys.readouterr().out == "hi\n"
    (call,) = calls(own_logging())
    assert (call["tool_name"], call["status"], call["input_args"]) == ("say", "success", {"text": "hi"})
    assert (call["client_name"], call["client_version"]) == (COMMAND, __version__)


def test_lines_of_the_tool_are_delivered_before_the_command_ends(own_logging: Entries) -> None:
    """They have the correlation id of the call."""
    assert main(["call", "log_everywhere", "tag=x"]) == 0
    entries = own_logging()
    (call,) = calls(entries)
    lines = {entry["message"] for entry in entries if entry["correlation_id"] == call["correlation_id"]}
    assert lines >= {"x loguru", "x stdlib", "x child", "x thread"}


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["refuse", "city=Oslo"], "no weather in Oslo"),
        (["crash"], "RuntimeError: internal detail"),
        (["return_an_error"], "returned error"),
        (["break_the_schema"], "break_the_schema"),
    ],
)
def test_a_failing_tool_is_an_error_on_stderr(
    own_logging: Entries, words: list[str], error: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 1, stdout is empty; the reason, which clients may not see, is among the log lines."""
    assert main(["call", *words]) == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert error in err
    (call,) = calls(own_logging())
    assert (call["tool_name"], call["status"]) == (words[0], "error")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["sya", "text=hi"], "There is no tool 'sya'; did you mean say? The tools are: say, "),
        (["xyz"], "There is no tool 'xyz'. The tools are: say, "),
        (["say"], "say needs text (a string)"),
        (["say", "txt=hi"], "say has no parameter 'txt'; did you mean text?"),
        (["sleep_in_thread", "seconds=long"], "seconds must be a number, not 'long'"),
        (["say", "{"], "The arguments are not valid JSON: "),
    ],
)
def test_bad_input_is_one_sentence_and_no_call(
    own_logging: Entries, words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 2."""
    assert main(["call", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(sentence)
    assert err.count("\n") == 1
    assert calls(own_logging()) == []


def test_a_misspelt_setting_is_recorded_as_a_warning(own_logging: Entries) -> None:
    """Whenever a server starts: MCP clients hide stderr."""
    Path(".env").write_text("LOG_LEVLE=DEBUG\n")
    assert main(["call", "say", "text=hi"]) == 0
    assert [entry["message"] for entry in own_logging() if entry["level"] == "WARNING"] == [
        ".env: LOG_LEVLE is not a setting; did you mean LOG_LEVEL?"
    ]


@pytest.mark.parametrize("words", [["hang"], ["sleep_in_thread", "seconds=60"], ["block"]])
def test_ctrl_c_ends_a_tool_that_hangs(
    own_logging: Entries, start: Callable[..., subprocess.Popen[str]], words: list[str]
) -> None:
    """In a task, in a thread or in the event loop: the exit code is 130, and the call is recorded as cancelled."""
    arguments = [program_path("serve_with_tools"), str(FOLDER), "call", *words, "--log-call-starts", "true"]
    process = start(*arguments)
    until(lambda: [entry for entry in own_logging() if entry["status"] == "started"])
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=10)
    assert (process.returncode, out) == (128 + signal.SIGINT, "")
    (call,) = calls(own_logging())
    assert (call["tool_name"], call["status"]) == (words[0], "cancelled")


def test_a_result_that_nothing_reads_is_recorded(
    own_logging: Entries, start: Callable[..., subprocess.Popen[str]]
) -> None:
    """The exit code is the one that shells show for SIGPIPE."""
    reader, writer = os.pipe()
    os.close(reader)
    process = start(program_path("serve_with_tools"), str(FOLDER), "call", "say", "text=hi", stdout=writer)
    os.close(writer)
    err = process.communicate(timeout=30)[1]
    assert process.returncode == 141
    assert "Traceback" not in err
    assert [call["status"] for call in calls(own_logging())] == ["success"]


@pytest.mark.parametrize(("words", "code"), [(["ping"], 0), (["ping", "x=1"], 2)])
def test_a_thread_of_a_tool_module_does_not_delay_the_end(
    own_logging: Entries, run: Callable[..., subprocess.CompletedProcess[str]], words: list[str], code: int
) -> None:
    """The result is printed, and the exit code is that of the call; refused arguments change nothing."""
    done = run(program_path("serve_with_tools"), str(PROGRAMS / "tools" / "working_with_a_thread"), "call", *words)
    assert (done.returncode, done.stdout) == (code, "" if code else "pong\n")
    assert len(calls(own_logging())) == (0 if code else 1)


def test_structured_content_is_printed_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Without the text that the SDK makes of it."""
    assert main(["call", "count_letters", 'texts=["a", "\u00c9t\u00e9"]']) == 0
    assert json.loads(capsys.readouterr().out) == {"a": 1, "\u00c9t\u00e9": 3}


TEXT = TextContent(type="text", text="found one")
FIVE = TextContent(type="text", text="5")
IMAGE = ImageContent(type="image", data="", mime_type="image/png")


@pytest.mark.parametrize(
    ("content", "structured", "texts", "shown"),
    [
        ([], None, [], None),
        ([TEXT, IMAGE], None, ["found one", "[image]"], None),
        ([FIVE], {"result": 5}, ["5"], None),
        ([FIVE, FIVE], {"result": [5, 5]}, [], {"result": [5, 5]}),
        ([TextContent(type="text", text='{"a": 1}')], {"a": 1}, [], {"a": 1}),
        ([TEXT], {"a": 1}, ["found one"], {"a": 1}),
        ([FIVE, IMAGE], {"a": 1}, ["5", "[image]"], {"a": 1}),
    ],
)
def test_a_result_is_printed_once(
    content: list[TextContent | ImageContent],
    structured: dict[str, Any] | None,
    texts: list[str],
    shown: dict[str, Any] | None,
) -> None:
    """Texts are printed as they are, other content by its type, and structured content unless a text shows it."""
    blocks = blocks_of(CallToolResult(content=content, structured_content=structured))
    assert blocks == texts + ([] if shown is None else [json.dumps(shown, indent=2)])


ENCODINGS = {
    "UTF-8": ({"PYTHONIOENCODING": "utf-8"}, "caf\u00e9 \ufffd \U0001f600\n"),
    "ASCII": ({"PYTHONIOENCODING": "ascii"}, "caf\\xe9 \\ufffd \\U0001f600\n"),
    "the C locale": ({"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, "caf\\xe9 \\ufffd \\U0001f600\n"),
    "Windows": ({"PYTHONIOENCODING": "cp1252"}, "caf\u00e9 \\ufffd \\U0001f600\n"),
}
"""The environments that set the encoding of stdout, and how it shows a text."""


@pytest.mark.parametrize(("environment", "shown"), ENCODINGS.values(), ids=ENCODINGS)
def test_bytes_in_an_argument_reach_the_tool_and_the_record_as_text(
    own_logging: Entries,
    run: Callable[..., subprocess.CompletedProcess[bytes]],
    environment: dict[str, str],
    shown: str,
) -> None:
    """Those that are not UTF-8 are replaced; the JSON of `logs` is valid in every encoding."""
    argument = "text=caf\u00e9 ".encode() + b"\xe9 " + "\U0001f600".encode()
    options = {"env": {**os.environ, **environment}, "text": False}
    done = run(program_path("serve_with_tools"), str(FOLDER), "call", "say", argument, **options)
    encoding = environment.get("PYTHONIOENCODING", "ascii")
    assert (done.returncode, done.stdout.decode(encoding)) == (0, shown)
    assert calls(own_logging())[0]["input_args"] == {"text": "caf\u00e9 \ufffd \U0001f600"}
    listed = run(program_path("serve_with_tools"), str(FOLDER), "logs", "--status", "success", "--json", **options)
    assert json.loads(listed.stdout.decode(encoding))["input_args"] == {"text": "caf\u00e9 \ufffd \U0001f600"}
