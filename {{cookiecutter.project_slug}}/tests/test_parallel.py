"""`parallelize`: a tool for one item becomes a tool for many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest
from helpers import eventually
from mcp import Client
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError

from {{cookiecutter.project_slug}}.parallel import ItemResult, parallelize
from {{cookiecutter.project_slug}}.tools import register_tools
from {{cookiecutter.project_slug}}.tools.parallel_examples import reverse

if TYPE_CHECKING:
    from collections.abc import Callable


class Meter:
    """A tool that counts its running calls, the most that ran at once, and the cancelled ones."""

    def __init__(self) -> None:
        self.running = self.most = self.cancelled = 0

    async def __call__(self, seconds: float) -> float:
        """Sleep for some seconds."""
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await anyio.sleep(seconds)
        except BaseException:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1
        return seconds


def serve(tool: object) -> Client:
    """Return a client of a server with one tool, named `batch`."""
    server = MCPServer("parallel")
    server.add_tool(tool, name="batch")
    return Client(server)


def metered(meter: Meter) -> object:
    """Return a batch tool that calls the meter, at most three times at once."""

    @parallelize(limit=3)
    async def sleep(second: float, note: str = "n") -> float:
        return await meter(second)

    return sleep


async def test_clients_see_a_list_and_the_other_parameters() -> None:
    """The first parameter becomes a list with an s after its name, for 1 to 1,000 items."""
    async with serve(metered(Meter())) as client:
        (tool,) = (await client.list_tools()).tools
    schema = tool.input_schema
    assert schema["properties"].keys() == {"seconds", "note"}
    assert schema["required"] == ["seconds"]
    items = schema["properties"]["seconds"]
    assert (items["type"], items["items"]["type"]) == ("array", "number")
    assert (items["minItems"], items["maxItems"]) == (1, 1_000)


async def test_items_run_concurrently_up_to_the_limit() -> None:
    """Progress is reported after each item; the results have the order of the items."""
    meter, progress = Meter(), []

    async def note(done: float, total: float | None, _: str | None) -> None:
        progress.append((done, total))

    async with serve(metered(meter)) as client:
        result = await client.call_tool("batch", {"seconds": [0.05, 0.01, 0.03, 0, 0.02]}, progress_callback=note)
    results = result.structured_content["result"]
    assert [item["result"] for item in results] == [0.05, 0.01, 0.03, 0, 0.02]
    assert [item["index"] for item in results] == list(range(5))
    assert meter.most == 3
    assert progress == [(number, 5) for number in range(1, 6)]


@pytest.mark.parametrize("is_async", [True, False])
async def test_a_failing_item_does_not_affect_the_others(is_async: bool) -> None:
    """Clients see the text of a ToolError, but not that of an unexpected exception."""

    def halve(number: int) -> int:
        if number == 3:
            msg = "three is odd"
            raise ToolError(msg)
        return number // (number - 5)

    async def halve_later(number: int) -> int:
        return halve(number)

    tool = parallelize()(halve_later if is_async else halve)
    async with serve(tool) as client:
        result = await client.call_tool("batch", {"numbers": [6, 3, 5, 10]})
    items = [ItemResult(**item) for item in result.structured_content["result"]]
    assert items == [
        ItemResult(index=0, ok=True, result=6),
        ItemResult(index=1, ok=False, error="three is odd"),
        ItemResult(index=2, ok=False, error="unexpected error"),
        ItemResult(index=3, ok=True, result=2),
    ]


async def test_a_tool_may_be_a_callable_object() -> None:
    """Its result is awaited like that of a function."""
    async with serve(parallelize()(Meter())) as client:
        result = await client.call_tool("batch", {"secondss": [0, 0.01]})
    assert [item["result"] for item in result.structured_content["result"]] == [0, 0.01]


async def test_a_batch_tool_can_be_called_without_a_server() -> None:
    """It is a function; its context is optional."""
    assert [item.result for item in await reverse(texts=["ab", "c"])] == ["ba", "c"]


async def test_cancelling_the_call_cancels_its_running_items() -> None:
    """No further item starts."""
    meter = Meter()
    async with serve(metered(meter)) as client:
        with anyio.move_on_after(0.1):
            await client.call_tool("batch", {"seconds": [60] * 10})
        await eventually(lambda: meter.cancelled == 3)
    assert (meter.running, meter.most) == (0, 3)


@pytest.mark.parametrize("seconds", [[], [0] * 1_001, "text", [None]])
async def test_an_invalid_list_is_an_error(seconds: object) -> None:
    """It may be empty, too long or not a list; no item runs."""
    meter = Meter()
    async with serve(metered(meter)) as client:
        result = await client.call_tool("batch", {"seconds": seconds})
    assert result.is_error
    assert meter.most == 0


@pytest.mark.parametrize("is_async", [True, False])
async def test_a_tool_may_have_a_context_parameter(is_async: bool) -> None:
    """Its name and position do not matter; each item receives the context of the call; clients do not see it."""

    def describe(call: Context | None, text: str) -> str:
        return f"{text} {call.request_id}"

    async def describe_later(text: str, ctx: Context) -> str:
        return f"{text} {ctx.request_id}"

    tool = parallelize()(describe_later if is_async else describe)
    async with serve(tool) as client:
        (shown,) = (await client.list_tools()).tools
        result = await client.call_tool("batch", {"texts": ["a", "b"]})
    (a, first), (b, second) = [item["result"].split() for item in result.structured_content["result"]]
    assert (a, b, first) == ("a", "b", second)
    assert shown.input_schema["properties"].keys() == {"texts"}


async def test_a_parameter_named_ctx_may_be_an_ordinary_one() -> None:
    """It has the value that the client sent."""

    @parallelize()
    async def add(number: int, ctx: int) -> int:
        return number + ctx

    async with serve(add) as client:
        result = await client.call_tool("batch", {"numbers": [1, 2], "ctx": 3})
    assert [item["result"] for item in result.structured_content["result"]] == [4, 5]


def no_parameter() -> None:
    """Have no parameter."""


def only_context(ctx: Context) -> None:
    """Have no parameter for an item."""


def positional(*texts: str) -> None:
    """Have a parameter that cannot be passed by its name."""


def both_names(text: str, texts: str) -> None:
    """Use the name that the list would have."""


NO_ITEM = "has no parameter that can become a list; the first parameter of the tool must be the item"
TAKEN = "already has a parameter texts, the name of the list; rename one of them"


@pytest.mark.parametrize(
    ("tool", "reason"),
    [(no_parameter, NO_ITEM), (only_context, NO_ITEM), (positional, NO_ITEM), (both_names, TAKEN)],
)
def test_a_tool_without_a_suitable_parameter_is_refused(tool: Callable[..., None], reason: str) -> None:
    """The decorator raises; the message names the tool."""
    with pytest.raises(ValueError, match=f"^{tool.__name__} {reason}$"):
        parallelize()(tool)


def test_a_limit_below_one_is_refused() -> None:
    """The decorator raises."""
    with pytest.raises(ValueError, match="limit is 0; it must be at least 1"):
        parallelize(limit=0)


async def test_the_example_is_registered() -> None:
    """`reverse_all` reverses each text, and explains why it cannot reverse an empty one."""
    server = MCPServer("example")
    register_tools(server)
    async with Client(server) as client:
        result = await client.call_tool("reverse_all", {"texts": ["abc", "", "d"]})
    assert [item["result"] or item["error"] for item in result.structured_content["result"]] == [
        "cba",
        "an empty text cannot be reversed",
        "d",
    ]
