"""Serve over a transport that raises."""

from {{cookiecutter.project_slug}}.cli import main
from {{cookiecutter.project_slug}}.server.recording import RecordingMCPServer


async def fail(_: RecordingMCPServer) -> None:
    """Raise at once."""
    msg = "the transport broke"
    raise RuntimeError(msg)


RecordingMCPServer.run_stdio_async = fail
raise SystemExit(main())
