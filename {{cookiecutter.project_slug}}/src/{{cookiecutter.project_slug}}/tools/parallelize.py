"""From a tool for one item to a tool for many, with an example at the end."""

from __future__ import annotations

import inspect
from functools import partial, wraps
from typing import TYPE_CHECKING, Annotated, Any

import anyio
import anyio.to_thread
from loguru import logger
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import BaseModel, Field

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

MAX_ITEMS = 1_000
"""Items one call may hold."""


class ItemResult(BaseModel):
    """What became of one item: its result, or the error that it alone met."""

    index: int
    ok: bool
    result: Any = None
    error: str | None = None


def parallelize(
    *, limit: int = 8, max_items: int = MAX_ITEMS
) -> Callable[[Callable[..., Any]], Callable[..., Coroutine[Any, Any, list[ItemResult]]]]:
    """Turn a one-item tool into a batch tool that runs at most `limit` items at a time.

    The first parameter becomes a list under its name with an `s`; the others stay and are shared by all items. An
    item's ToolError is its own result; results keep the items' order; progress is reported after each; cancelling the
    call cancels the items that run. Raises ValueError for a limit below 1.
    """
    if limit < 1:
        msg = f"limit is {limit}; it takes a number from 1"
        raise ValueError(msg)

    def decorate(tool: Callable[..., Any]) -> Callable[..., Coroutine[Any, Any, list[ItemResult]]]:
        name, signature = _batch_signature(tool, max_items)

        @wraps(tool)
        async def batch(**arguments: Any) -> list[ItemResult]:
            context: Context[Any, Any] = arguments.pop("ctx")
            items = arguments.pop(name)
            return await _run_all(partial(_call, tool, shared=arguments), items, limit=limit, context=context)

        batch.__signature__ = signature  # type: ignore[attr-defined]
        batch.__annotations__ = {p.name: p.annotation for p in signature.parameters.values()} | {
            "return": list[ItemResult]
        }
        del batch.__wrapped__  # inspection must see the list, not the item
        return batch

    return decorate


def _batch_signature(tool: Callable[..., Any], max_items: int) -> tuple[str, inspect.Signature]:
    """Return the list's name and the signature that clients see."""
    first, *others = inspect.signature(tool, eval_str=True).parameters.values()
    kind = inspect.Parameter.KEYWORD_ONLY
    items = Annotated[list[first.annotation], Field(min_length=1, max_length=max_items)]  # type: ignore[name-defined]
    parameters = [
        inspect.Parameter(f"{first.name}s", kind, annotation=items),
        *(parameter.replace(kind=kind) for parameter in others),
        inspect.Parameter("ctx", kind, annotation=Context),
    ]
    return f"{first.name}s", inspect.Signature(parameters, return_annotation=list[ItemResult])


async def _call(tool: Callable[..., Any], item: Any, *, shared: dict[str, Any]) -> Any:
    if inspect.iscoroutinefunction(tool):
        return await tool(item, **shared)
    return await anyio.to_thread.run_sync(partial(tool, item, **shared))


async def _run_all(
    call: Callable[[Any], Coroutine[Any, Any, Any]], items: list[Any], *, limit: int, context: Context[Any, Any]
) -> list[ItemResult]:
    results: list[ItemResult] = []
    free = anyio.CapacityLimiter(limit)

    async def run_one(index: int, item: Any) -> None:
        async with free:
            results.append(await _result_of(call, index, item))
            await context.report_progress(len(results), len(items), f"{len(results)} of {len(items)} items")

    async with anyio.create_task_group() as group:
        for index, item in enumerate(items):
            group.start_soon(run_one, index, item)
    return sorted(results, key=lambda result: result.index)


async def _result_of(call: Callable[[Any], Coroutine[Any, Any, Any]], index: int, item: Any) -> ItemResult:
    try:
        return ItemResult(index=index, ok=True, result=await call(item))
    except ToolError as error:
        return ItemResult(index=index, ok=False, error=str(error))
    except Exception:  # noqa: BLE001 - one item's crash is not the others'; its text stays on the server
        logger.exception("item {index} failed", index=index)
        return ItemResult(index=index, ok=False, error="unexpected error")


@parallelize(limit=4)
async def reverse(text: str, delay: float = 0.0) -> str:
    """Reverse each text, up to four at a time, waiting `delay` seconds for each."""
    if not text:
        msg = "an empty text cannot be reversed"
        raise ToolError(msg)
    await anyio.sleep(min(max(delay, 0), 10))
    return text[::-1]


def register(server: MCPServer[Any]) -> None:
    """Add the batch tool to a server."""
    server.add_tool(reverse, name="reverse_all")
