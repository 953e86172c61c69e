"""The verb `call`: run one tool in this process and print its result; it is recorded as any other call."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from typing import TYPE_CHECKING, Any

import anyio
from mcp import Client
from mcp.types import Implementation, TextContent

from .. import __version__
from ..choices import COMMAND
from ..logging.errors import SettingError, describe_error
from ..logging.printable import readable
from ..logging.unified_logger import UnifiedLogger
from ..server.shutdown import Shutdown
from ..server.startup import start_server
from ..server.stdio import stdout_as_stderr
from .output import harmless
from .suggestions import did_you_mean
from .tool_arguments import read_arguments

if TYPE_CHECKING:
    import argparse

    from mcp.types import CallToolResult, ContentBlock

    from ..config import ServerConfig
    from ..server.recording import RecordingMCPServer


async def run_call(options: argparse.Namespace, config: ServerConfig) -> int:
    """Call a tool and print its result, or its error on stderr; return 1 if it failed.

    Raise SettingError for an unknown tool and for arguments that do not fit it.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)  # asyncio's own would wait for the imports of the tools
    config = config.model_copy(update={"transport": "stdio"})  # what tools print goes to stderr
    with stdout_as_stderr():
        server = start_server(config)
        if server is None:
            return 1
        try:
            tool = readable(options.tool)
            arguments = await _read(server, tool, [readable(word) for word in options.arguments])
            outcome = await _call(server, tool, arguments, drain_timeout=config.log_drain_timeout_ms / 1000)
        finally:
            UnifiedLogger.shutdown()
    return _show(outcome)


def blocks_of(result: CallToolResult) -> list[str]:
    """Return what to print: texts as they are, other content by its type, and structured content as JSON.

    The SDK makes both from what a tool returns. Then only one of them is printed: the text of a single value, the JSON
    of lists and objects.
    """
    blocks, structured = [_block(each) for each in result.content], result.structured_content
    if structured is None:
        return blocks
    is_wrapped = list(structured) == ["result"]  # as the SDK does with everything but objects
    if is_wrapped and not isinstance(structured["result"], dict | list):
        return blocks
    pretty = json.dumps(structured, indent=2, ensure_ascii=sys.stdout.encoding.lower() != "utf-8")
    is_repeated = is_wrapped or (len(blocks) == 1 and _is_json_of(blocks[0], structured))
    return [pretty] if is_repeated else [*blocks, pretty]


async def _read(server: RecordingMCPServer, tool: str, words: list[str]) -> dict[str, Any]:
    schemas = {each.name: each.input_schema for each in await server.list_tools()}
    if tool in schemas:
        return read_arguments(tool, schemas[tool], words)
    hint = did_you_mean(tool, schemas) or "."
    msg = f"There is no tool {tool!r}{hint} The tools are: {', '.join(schemas) or 'none'}"
    raise SettingError(msg)


async def _call(
    server: RecordingMCPServer, tool: str, arguments: dict[str, Any], *, drain_timeout: float
) -> CallToolResult | Exception:
    """Return the result, or the exception that the client got; a signal cancels the call and ends the process."""
    shutdown = Shutdown(server, drain_timeout=drain_timeout)
    scope = anyio.CancelScope()
    watch = asyncio.create_task(shutdown.at_signal(scope, server_ended=None))
    try:
        with scope:
            async with Client(server, client_info=Implementation(name=COMMAND, version=__version__)) as client:
                return await _outcome(client, tool, arguments)
        await watch  # it ends the process
    finally:
        watch.cancel()
    raise KeyboardInterrupt


async def _outcome(client: Client, tool: str, arguments: dict[str, Any]) -> CallToolResult | Exception:
    try:
        return await client.call_tool(tool, arguments)
    except Exception as error:  # noqa: BLE001 - it is the outcome; raised, it would be wrapped in groups
        return error


def _show(outcome: CallToolResult | Exception) -> int:
    if isinstance(outcome, Exception):
        print(harmless(describe_error(outcome)), file=sys.stderr)
        return 1
    stream = sys.stderr if outcome.is_error else sys.stdout
    stream.writelines(f"{block}\n" for block in blocks_of(outcome))
    return int(outcome.is_error)


def _block(block: ContentBlock) -> str:
    return block.text if isinstance(block, TextContent) else f"[{block.type}]"


def _is_json_of(text: str, value: object) -> bool:
    try:
        return bool(json.loads(text) == value)
    except ValueError:
        return False
