"""What must never show: secrets in entries, outputs and errors; forged lines; foreign hosts; files others can read."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio.to_thread
import httpx
import pytest

from scripts.project import bake
from tests.support.http_stub import Failure, HttpStub
from tests.support.proxy import Mode, Proxy
from tests.support.servers import HttpServer, StdioServer, ToolFailedError, until
from tests.support.settings import every_backend, http_backends

if TYPE_CHECKING:
    from tests.support.project import Project

FIXTURES = Path(__file__).with_name("fixtures")

pytestmark = pytest.mark.anyio

SECRET = "sample5ecret9Qz"
ARGUMENTS: dict[str, dict[str, Any]] = {
    "by key": {"password": SECRET},
    "by nested key": {"settings": {"list": [{"apiKey": SECRET, "other": 1}]}},
    "by key in JSON text": {"text": json.dumps({"client_secret": SECRET})},
    "by key in YAML text": {"text": f"user: me\npassword: {SECRET}\n"},
    "by key of several words": {"text": f"smtp_pass: two {SECRET}\nuser: me"},
    "by numbered key of a list": {"list": [{"token_2": SECRET}, {"accessTokens": [SECRET]}]},
    "by shape where a text is cut": {"list": ["x" * 9_970 + f" postgresql://me:{SECRET}@host:5432/db"]},
    "by shape of a header": {"text": f"Authorization: Bearer {SECRET}.{SECRET}"},
    "by shape of a URL": {"text": f"postgresql://me:{SECRET}@host:5432/db"},
    "by shape of a JWT": {"text": f"eyJ{SECRET}.eyJ{SECRET}.{SECRET}"},
    "by shape of a private key": {"text": f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----"},
}
FORGED = "hello\n2026-01-01T00:00:00.000Z INFO     forged line\r\n\x1b[31mred\x1b[0m \x9b2J \u202egnp.exe \u2028 end"
HOSTS = f"http://elastic:{SECRET}@127.0.0.1:9"
SECRET_SETTINGS = {
    "CONVEX_API_KEY": SECRET,
    "ELASTICSEARCH_HOSTS": HOSTS,
    "ELASTICSEARCH_PASSWORD": SECRET,
    "ELASTICSEARCH_USERNAME": "me",
    "KAFKA_SASL_PASSWORD": SECRET,
    "KAFKA_SASL_USERNAME": "me",
    "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
}


def only(destination: str) -> dict[str, str]:
    """Return the settings that switch on one production destination and nothing else."""
    on = {"ENABLE_PRODUCTION_LOGGING": "true", "LOG_DESTINATION_TYPE": destination}
    return {**on, "ENABLE_LOCAL_LOGGING": "false", "LOG_WRITE_TIMEOUT_MS": "500"}


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
        everything = "\n".join((server.dump(), server.stderr_text(), *stub.bodies))
        assert "[redacted]" in everything
        assert SECRET[:8] not in everything


async def test_a_secret_in_an_argument_that_is_refused_is_shown_nowhere(project: Project, folder: Path) -> None:
    """What pydantic says of it is cut in the middle: the key loses its end, and the value stands alone."""
    async with StdioServer(project, folder) as server:
        for name in ("a", "bob12", "a-longer-name@example.org"):
            with pytest.raises(ToolFailedError, match="input_value="):
                await server.call("say", count={"username": name, "password": SECRET})
        await server.end()
        assert server.stored("status = 'validation_error'") == 3
        assert SECRET[-8:] not in server.dump() + server.stderr_text()


async def test_a_forged_line_is_shown_as_what_it_is(project: Project, folder: Path) -> None:
    """Line ends and control characters of arguments and lines are escaped on stderr and in the table of `logs`."""
    async with StdioServer(project, folder) as server:
        await server.call("say", count=1, text=FORGED)
        with pytest.raises(ToolFailedError):
            await server.call("fail", text=FORGED)
        await server.end()
    table = project.run(folder, "logs")
    assert table.returncode == 0, table.stderr
    for shown in (server.stderr_text(), table.stdout):
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
            "ELASTICSEARCH_HOSTS": HOSTS.replace(":9", f":{stub.port}"),
        }  # fmt: skip
        malformed = {**settings, "LOG_RETRY_ATTEMPTS": SECRET + "x", "HTTP_PORT": "none"}
        for arguments in (["--help"], ["doctor"], ["logs"]):
            printed = await _printed(project, folder, *arguments, **settings)
            assert SECRET not in printed, arguments
            assert (arguments == ["doctor"]) == all(
                place in printed for place in _places(settings, proxy.port, stub.port)
            )
        printed = await _printed(project, folder, **{**malformed, "LOG_RETRY_ATTEMPTS": "many"})
        assert "LOG_RETRY_ATTEMPTS" in printed
        assert SECRET not in printed
        settings["SQLITE_PATH"] = str(folder / "served.db")
        async with StdioServer(project, folder / "server", **settings) as server:
            await server.call("say", count=10)
            await until(lambda: stub.requests > 4, "the backend has said what it thinks")
            state = json.dumps(await server.call("state"))
            await server.end()
        assert SECRET not in server.stderr_text() + state


@pytest.mark.parametrize("form", ["{}", '"{}"', '["{}"]', '{{"url": "{}"}}', "{},{}", "'{}'"])
async def test_no_secret_is_in_the_representation_of_the_configuration(
    project: Project, folder: Path, form: str
) -> None:
    """`repr`, `str` and a dump of the settings show stars, and so does the message about a malformed one."""
    settings = {**SECRET_SETTINGS, "ELASTICSEARCH_HOSTS": form.format(HOSTS, HOSTS), "POSTGRES_DSN": dsn(5432)}
    shown = await anyio.to_thread.run_sync(lambda: project.run_python(folder, FIXTURES / "show_config.py", **settings))
    printed = shown.stdout + shown.stderr
    assert "convex_api_key" in printed
    assert "elasticsearch_hosts" in printed
    printed += await _printed(project, folder, **settings)
    printed += await _printed(project, folder, "doctor", **settings, **only("elasticsearch"))
    assert "ELASTICSEARCH_HOSTS" in printed
    assert SECRET not in printed


def test_a_connection_url_keeps_its_query_in_the_example(tmp_path: Path) -> None:
    """It loses its password and nothing else, also where there is an @ in its query, which the hook would refuse."""
    url = f"postgresql://me:{SECRET}@db:5432/logs?application_name=mcp@host"
    answers = {"production_log_destination": "postgres", "postgres_dsn": url}
    example = bake(tmp_path, answers, accept_hooks=False) / ".env.example"
    assert "POSTGRES_DSN=postgresql://me@db:5432/logs?application_name=mcp@host\n" in example.read_text()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("KAFKA_TOPIC", "a/b"),
        ("KAFKA_MAX_MESSAGE_BYTES", "x"),
        ("ELASTICSEARCH_HOSTS", "ftp://localhost:9200"),
        ("ELASTICSEARCH_VERIFY_CERTS", "maybe"),
        ("POSTGRES_TABLE", "a b"),
        ("CONVEX_API_KEY", ""),
        ("CONVEX_TIMEOUT_SECONDS", "-1"),
    ],
)
async def test_a_malformed_setting_stops_its_destination_only(
    project: Project, folder: Path, setting: str, value: str
) -> None:
    """Beside SQLite that is one sentence, and calls are recorded; where nothing else is switched on, it ends with 2."""
    destination = setting.partition("_")[0].lower()
    settings = {**every_backend(9), "LOG_DESTINATION_TYPE": destination, setting: value}
    async with StdioServer(project, folder, **settings) as server:
        await server.call("say", count=1)
        await server.end()
        assert server.stored() >= 1
    assert server.stderr_text().startswith(f"{setting} ")
    assert "Traceback" not in server.stderr_text()
    alone = {**settings, "ENABLE_LOCAL_LOGGING": "false"}
    done = await anyio.to_thread.run_sync(lambda: project.run(folder, **alone))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith(f"{setting} ")


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
async def test_an_invalid_name_is_refused_before_anything_is_sent(
    project: Project, folder: Path, destination: str, setting: str, name: str
) -> None:
    """One sentence names the setting and the value."""
    settings = {"CONVEX_API_KEY": "x", setting: name}
    done = project.run_python(folder, FIXTURES / "create_destination.py", destination, **settings)
    assert setting in done.stdout, done
    assert name in done.stdout or repr(name) in done.stdout, done.stdout


@pytest.mark.parametrize(("name", "quoted"), [("audit.logs", '"audit"."logs"'), ("Logs", '"Logs"')])
def test_a_table_name_is_quoted(project: Project, folder: Path, name: str, quoted: str) -> None:
    """`audit.logs` is a table of the schema audit; upper case stays upper case."""
    done = project.run_python(folder, FIXTURES / "quote_table.py", name)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{quoted}\n", "")


def test_the_projects_own_workflow_audits_its_dependencies(project: Project) -> None:
    """A known hole in a dependency fails the build of the generated project."""
    workflows = project.source.glob(".github/workflows/*.y*ml")
    assert any("pip-audit" in file.read_text(encoding="utf-8") for file in workflows)


async def _printed(project: Project, folder: Path, *arguments: str, **settings: str) -> str:
    """Return what a command of the project prints on both streams; the test's own backends run meanwhile."""
    done = await anyio.to_thread.run_sync(lambda: project.run(folder, *arguments, **settings))
    return done.stdout + done.stderr


def _places(settings: dict[str, str], proxy: int, stub: int) -> tuple[str, ...]:
    """Return where the destinations are, as `doctor` shows it."""
    return (
        f"SQLITE_PATH={settings['SQLITE_PATH']}, SQLITE_MAX_MB=0\n",
        f"KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:{proxy}, KAFKA_TOPIC=mcp-logs, ",
        f"ELASTICSEARCH_HOSTS=http://***@127.0.0.1:{stub}, ",
        f"POSTGRES_DSN=postgresql://127.0.0.1:{proxy}/logs, POSTGRES_TABLE=unified_logs\n",
        f"CONVEX_ENDPOINT_URL=http://127.0.0.1:{stub}, ",
    )
