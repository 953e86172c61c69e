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
    """A tool that knows how many of its calls run, have run, and were cancelled."""

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
    """Return a batch tool that is metered."""

    @parallelize(limit=3)
    async def sleep(second: float, note: str = "n") -> float:
        return await meter(second)

    return sleep


async def test_clients_see_a_list_and_the_shared_parameters() -> None:
    """The first parameter is a list under its name with an s, bounded; the context is not shown."""
    async with serve(metered(Meter())) as client:
        (tool,) = (await client.list_tools()).tools
    schema = tool.input_schema
    assert schema["properties"].keys() == {"seconds", "note"}
    assert schema["required"] == ["seconds"]
    items = schema["properties"]["seconds"]
    assert (items["type"], items["items"]["type"]) == ("array", "number")
    assert (items["minItems"], items["maxItems"]) == (1, 1_000)


async def test_items_run_side_by_side_up_to_the_limit_and_keep_their_order() -> None:
    """Never more than three at a time; progress after each; results in the order of the items."""
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
async def test_an_items_failure_is_its_own(is_async: bool) -> None:
    """A ToolError's text is the item's result, a crash's is withheld, and the others are not touched."""

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


async def test_a_tool_may_be_an_object_that_can_be_called() -> None:
    """What it gives is awaited, as with a function."""
    async with serve(parallelize()(Meter())) as client:
        result = await client.call_tool("batch", {"secondss": [0, 0.01]})
    assert [item["result"] for item in result.structured_content["result"]] == [0, 0.01]


async def test_a_tests_own_call_needs_no_context() -> None:
    """A batch tool is a function as any other, by the names of its parameters."""
    assert [item.result for item in await reverse(texts=["ab", "c"])] == ["ba", "c"]


async def test_cancelling_the_call_cancels_what_runs() -> None:
    """All siblings end, and none begins."""
    meter = Meter()
    async with serve(metered(meter)) as client:
        with anyio.move_on_after(0.1):
            await client.call_tool("batch", {"seconds": [60] * 10})
        await eventually(lambda: meter.cancelled == 3)
    assert (meter.running, meter.most) == (0, 3)


@pytest.mark.parametrize("seconds", [[], [0] * 1_001, "text", [None]])
async def test_a_list_out_of_bounds_is_refused(seconds: object) -> None:
    """Empty, too long, or no list at all: an error, and nothing runs."""
    meter = Meter()
    async with serve(metered(meter)) as client:
        result = await client.call_tool("batch", {"seconds": seconds})
    assert result.is_error
    assert meter.most == 0


@pytest.mark.parametrize("is_async", [True, False])
async def test_a_tool_may_take_the_context(is_async: bool) -> None:
    """Under whatever name and in whatever place: each item gets that of the call, and clients do not see it."""

    def tell(call: Context | None, text: str) -> str:
        return f"{text} {call.request_id}"

    async def tell_later(text: str, ctx: Context) -> str:
        return f"{text} {ctx.request_id}"

    tool = parallelize()(tell_later if is_async else tell)
    async with serve(tool) as client:
        (shown,) = (await client.list_tools()).tools
        result = await client.call_tool("batch", {"texts": ["a", "b"]})
    (a, first), (b, second) = [item["result"].split() for item in result.structured_content["result"]]
    assert (a, b, first) == ("a", "b", second)
    assert shown.input_schema["properties"].keys() == {"texts"}


async def test_a_shared_parameter_may_be_named_as_contexts_are() -> None:
    """It is what the client sent."""

    @parallelize()
    async def add(number: int, ctx: int) -> int:
        return number + ctx

    async with serve(add) as client:
        result = await client.call_tool("batch", {"numbers": [1, 2], "ctx": 3})
    assert [item["result"] for item in result.structured_content["result"]] == [4, 5]


def nothing() -> None:
    """Take nothing."""


def only_context(ctx: Context) -> None:
    """Take no item."""


def by_place(*texts: str) -> None:
    """Take what has no name."""


def both(text: str, texts: str) -> None:
    """Take the list's name."""


NO_ITEM = "has no parameter that can become a list; the first parameter of the tool must be the item"
TAKEN = "already has a parameter texts, the name of the list; rename one of them"


@pytest.mark.parametrize(
    ("tool", "reason"), [(nothing, NO_ITEM), (only_context, NO_ITEM), (by_place, NO_ITEM), (both, TAKEN)]
)
def test_a_tool_that_cannot_take_a_list_is_refused(tool: Callable[..., None], reason: str) -> None:
    """At once, by a sentence that names the tool."""
    with pytest.raises(ValueError, match=f"^{tool.__name__} {reason}$"):
        parallelize()(tool)


def test_a_limit_below_one_is_refused() -> None:
    """At once, where the tool is defined."""
    with pytest.raises(ValueError, match="limit is 0; it must be at least 1"):
        parallelize(limit=0)


async def test_the_example_is_registered() -> None:
    """`reverse_all` reverses, and says which text it could not."""
    server = MCPServer("example")
    register_tools(server)
    async with Client(server) as client:
        result = await client.call_tool("reverse_all", {"texts": ["abc", "", "d"]})
    assert [item["result"] or item["error"] for item in result.structured_content["result"]] == [
        "cba",
        "an empty text cannot be reversed",
        "d",
    ]
