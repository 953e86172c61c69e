"""What must never show: secrets in entries, outputs and errors; forged lines; foreign hosts; files others can read."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING, Any

import anyio.to_thread
import httpx
import pytest

from .backends import every_backend, http_backends
from .proxy import Mode, Proxy
from .servers import HttpServer, StdioServer, ToolFailedError, until
from .stubs import Failure, HttpStub

if TYPE_CHECKING:
    from pathlib import Path

    from .project import Project

pytestmark = pytest.mark.anyio

SECRET = "planted5ecret9Qz"
ARGUMENTS: dict[str, dict[str, Any]] = {
    "by key": {"password": SECRET},
    "by nested key": {"settings": {"list": [{"apiKey": SECRET, "other": 1}]}},
    "by key in JSON text": {"text": json.dumps({"client_secret": SECRET})},
    "by key in YAML text": {"text": f"user: me\npassword: {SECRET}\n"},
    "by shape of a header": {"text": f"Authorization: Bearer {SECRET}.{SECRET}"},
    "by shape of a URL": {"text": f"postgresql://me:{SECRET}@host:5432/db"},
    "by shape of a JWT": {"text": f"eyJ{SECRET}.eyJ{SECRET}.{SECRET}"},
    "by shape of a private key": {"text": f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----"},
}
FORGED = "hello\n2026-01-01T00:00:00.000Z INFO     forged line\r\n\x1b[31mred\x1b[0m \x9b2J \u202egnp.exe \u2028 end"
SECRET_SETTINGS = {
    "CONVEX_API_KEY": SECRET,
    "ELASTICSEARCH_PASSWORD": SECRET,
    "ELASTICSEARCH_USERNAME": "me",
    "KAFKA_SASL_PASSWORD": SECRET,
    "KAFKA_SASL_USERNAME": "me",
    "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
}


def dsn(port: int) -> str:
    """Return a connection URL with a password."""
    return f"postgresql://me:{SECRET}@127.0.0.1:{port}/logs?sslmode=disable"


@pytest.mark.parametrize("how", ARGUMENTS)
async def test_a_secret_reaches_the_tool_and_no_destination(project: Project, folder: Path, how: str) -> None:
    """In arguments, output, a tool's error with its traceback, and a log line: redacted everywhere, also on stderr."""
    text = str(ARGUMENTS[how].get("text", ""))
    async with HttpStub() as stub, StdioServer(project, folder, **http_backends(stub.port)) as server:
        returned = await server.call("give_back", value=ARGUMENTS[how])
        assert SECRET in json.dumps(returned)
        if text:
            await server.call("say", count=1, text=text)
            with pytest.raises(ToolFailedError):
                await server.call("fail", text=text)
        await until(lambda: stub.entries["convex"] and stub.entries["elasticsearch"], "entries arrive")
        await server.end()
        assert server.stored() >= 1
        everything = "\n".join((server.dump(), server.said(), *stub.bodies))
        assert "[redacted]" in everything
        assert SECRET not in everything


async def test_a_forged_line_is_shown_as_what_it_is(project: Project, folder: Path) -> None:
    """Line ends and control characters of arguments and lines are escaped on stderr and in the table of `logs`."""
    async with StdioServer(project, folder) as server:
        await server.call("say", count=1, text=FORGED)
        with pytest.raises(ToolFailedError):
            await server.call("fail", text=FORGED)
        await server.end()
    table = project.run("-m", "baked_server", "logs", settings={"SQLITE_PATH": str(server.database)})
    assert table.returncode == 0, table.stderr
    for shown in (server.said(), table.stdout):
        assert "forged line" in shown
        assert not any(line.startswith("2026-01-01") for line in shown.splitlines())
        assert not any(char in shown for char in "\x1b\x9b\r\u202e\u2028")


async def test_a_foreign_host_or_origin_is_refused(project: Project, folder: Path) -> None:
    """The own ones pass: a web page that has its name resolve to this machine does not get in."""
    async with HttpServer(project, folder) as server:
        request = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        accept = {"Accept": "application/json, text/event-stream"}
        own = f"http://127.0.0.1:{server.port}"
        async with httpx.AsyncClient(headers=accept, trust_env=False, timeout=10) as client:
            foreign = await client.post(server.url, json=request, headers={"Host": "attacker.example"})
            page = await client.post(server.url, json=request, headers={"Origin": "http://attacker.example"})
            ours = await client.post(server.url, json=request, headers={"Origin": own})
        assert foreign.status_code in (403, 421)
        assert page.status_code == 403
        assert ours.status_code not in (403, 421)


async def test_the_sqlite_file_is_its_owners_only(project: Project, folder: Path) -> None:
    """Also its companions, and a folder that is made for it."""
    async with StdioServer(project, folder, SQLITE_PATH=str(folder / "new" / "logs.db")) as server:
        server.database = folder / "new" / "logs.db"
        await server.call("say", count=1)
        await until(server.lines, "the line is in the file")
        for file in server.database.parent.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file
        assert stat.S_IMODE(server.database.parent.stat().st_mode) == 0o700


async def test_no_secret_is_in_what_the_command_says(project: Project, folder: Path) -> None:
    """Neither in `--help`, nor in `doctor`, nor about a malformed setting, nor in what a backend repeats."""
    failure = Failure(500, body=f'{{"error": "who sent {SECRET}?"}}'.encode())
    async with HttpStub(failure=failure) as stub, Proxy(mode=Mode.RESET) as proxy:
        settings = {
            **every_backend(proxy.port), **http_backends(stub.port), **SECRET_SETTINGS,
            "LOG_DESTINATION_TYPE": "kafka,elasticsearch,postgres,convex", "POSTGRES_DSN": dsn(proxy.port),
            "SQLITE_PATH": str(folder / "logs.db"), "LOG_WRITE_TIMEOUT_MS": "500", "LOG_LEVEL": "DEBUG",
        }  # fmt: skip
        malformed = {**settings, "LOG_RETRY_ATTEMPTS": SECRET + "x", "HTTP_PORT": "none"}
        for arguments in (["--help"], ["doctor"], ["logs"]):
            said = await _said(project, "-m", "baked_server", *arguments, **settings)
            assert SECRET not in said, arguments
        said = await _said(project, "-m", "baked_server", **{**malformed, "LOG_RETRY_ATTEMPTS": "many"})
        assert "LOG_RETRY_ATTEMPTS" in said
        assert SECRET not in said
        settings["SQLITE_PATH"] = str(folder / "served.db")
        async with StdioServer(project, folder / "server", **settings) as server:
            await server.call("say", count=10)
            await until(lambda: stub.requests > 4, "the backend has said what it thinks")
            state = json.dumps(await server.call("state"))
            await server.end()
        assert SECRET not in server.said() + state


SHOW = "from baked_server.config import load_config; c = load_config(); print(repr(c), str(c), c.model_dump())"
NAMES = """
import sys
from baked_server.config import load_config
from baked_server.logging.factory import create_lane
from baked_server.logging.errors import SettingError
try:
    create_lane(sys.argv[1], load_config())
except SettingError as error:
    print(error)
"""


async def test_no_secret_is_in_the_representation_of_the_configuration(project: Project) -> None:
    """`repr`, `str` and a dump of the settings show stars."""
    said = await _said(project, "-c", SHOW, **SECRET_SETTINGS, POSTGRES_DSN=dsn(5432))
    assert "convex_api_key" in said
    assert SECRET not in said


@pytest.mark.parametrize(
    ("destination", "setting", "name"),
    [
        ("postgres", "POSTGRES_TABLE", 'logs"; drop table x; --'),
        ("elasticsearch", "ELASTICSEARCH_INDEX_PREFIX", 'logs"; drop table x; --'),
        ("elasticsearch", "ELASTICSEARCH_INDEX_PREFIX", "../_all"),
        ("elasticsearch", "ELASTICSEARCH_INDEX_PREFIX", "Logs*"),
        ("kafka", "KAFKA_TOPIC", "../logs"),
        ("kafka", "KAFKA_TOPIC", 'logs"; drop table x; --'),
    ],
)
async def test_a_name_that_is_none_is_refused_before_anything_is_sent(
    project: Project, destination: str, setting: str, name: str
) -> None:
    """One sentence names the setting and the value."""
    said = await _said(project, "-c", NAMES, destination, CONVEX_API_KEY="x", **{setting: name})
    assert setting in said, said
    assert name in said or repr(name) in said, said


async def test_a_name_with_a_schema_is_quoted(project: Project) -> None:
    """`audit.logs` is a table of the schema audit; upper case stays upper case."""
    script = (
        "from baked_server.logging.destinations.postgres_table import Table;"
        "print(str(Table.of('audit.logs')), str(Table.of('Logs')))"
    )
    said = await _said(project, "-c", script)
    assert '"audit"."logs" "Logs"' in said or "audit.logs" in said, said


def test_the_projects_own_workflow_audits_its_dependencies(project: Project) -> None:
    """A known hole in a dependency fails the build of the generated project."""
    workflows = project.folder.glob(".github/workflows/*.y*ml")
    assert any("pip-audit" in file.read_text(encoding="utf-8") for file in workflows)


async def _said(project: Project, *arguments: str, **settings: str) -> str:
    """Return what a command of the project said, on both streams; it runs beside the test's own backends."""
    done = await anyio.to_thread.run_sync(lambda: project.run(*arguments, settings=settings))
    return done.stdout + done.stderr
