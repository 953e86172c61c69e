"""From a tool for one item to a tool for many, with an example at the end."""

from __future__ import annotations

import inspect
from functools import partial, wraps
from typing import TYPE_CHECKING, Annotated, Any, get_args

import anyio
import anyio.to_thread
from loguru import logger
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import BaseModel, Field

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

MAX_ITEMS = 1_000
"""Items one call may hold."""
NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
"""Kinds of parameters that can be given by name, as the SDK gives them."""


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

    The first parameter becomes a list under its name with an `s`; the others stay and are shared by all items, as is
    the context of the call. An item's ToolError is its own result; results keep the items' order; progress is reported
    after each; cancelling the call cancels the items that run. Raises ValueError for a limit below 1, and for a tool
    without a parameter or with one that is named as the list would be.
    """
    if limit < 1:
        msg = f"limit is {limit}; it takes a number from 1"
        raise ValueError(msg)

    def decorate(tool: Callable[..., Any]) -> Callable[..., Coroutine[Any, Any, list[ItemResult]]]:
        parameters = inspect.signature(tool, eval_str=True).parameters
        item, context = _item_and_context(getattr(tool, "__name__", repr(tool)), parameters)
        signature = _batch_signature(parameters, item, context, max_items)

        @wraps(tool)
        async def batch(**arguments: Any) -> list[ItemResult]:
            items = arguments.pop(f"{item}s")
            shared = {name: value for name, value in arguments.items() if name in parameters}
            call = partial(_call, tool, item, shared=shared)
            return await _run_all(call, items, limit=limit, context=arguments.get(context))

        batch.__signature__ = signature  # type: ignore[attr-defined]
        batch.__annotations__ = {p.name: p.annotation for p in signature.parameters.values()} | {
            "return": list[ItemResult]
        }
        del batch.__wrapped__  # inspection must see the list, not the item
        return batch

    return decorate


def _item_and_context(tool: str, parameters: Mapping[str, inspect.Parameter]) -> tuple[str, str]:
    """Return the names of the parameters that hold an item and the call's context, which a tool need not have."""
    contexts = [name for name, parameter in parameters.items() if _is_context(parameter.annotation)]
    items = [name for name in parameters if name not in contexts]
    if not items or parameters[items[0]].kind not in NAMED:
        msg = f"{tool} has no parameter that could become a list; parallelize takes a tool whose first one is the item"
        raise ValueError(msg)
    if f"{items[0]}s" in parameters:
        msg = f"{tool} has a parameter {items[0]}s, as the list of each {items[0]} is to be called; rename one of them"
        raise ValueError(msg)
    return items[0], contexts[0] if contexts else "batch_context"


def _is_context(annotation: Any) -> bool:
    """Tell whether the SDK fills a parameter with the context of the call, as it does for `Context | None` too."""
    return any(inspect.isclass(kind) and issubclass(kind, Context) for kind in (annotation, *get_args(annotation)))


def _batch_signature(
    parameters: Mapping[str, inspect.Parameter], item: str, context: str, max_items: int
) -> inspect.Signature:
    """Return the signature that clients see, and with it the context, which they do not."""
    first, kind = parameters[item], inspect.Parameter.KEYWORD_ONLY
    items = Annotated[list[first.annotation], Field(min_length=1, max_length=max_items)]  # type: ignore[name-defined]
    others = {name: parameter.replace(kind=kind) for name, parameter in parameters.items() if name != item}
    ours = {context: inspect.Parameter(context, kind, annotation=Context)}
    batched = [inspect.Parameter(f"{item}s", kind, annotation=items), *(ours | others).values()]
    return inspect.Signature(batched, return_annotation=list[ItemResult])


async def _call(tool: Callable[..., Any], name: str, item: Any, *, shared: dict[str, Any]) -> Any:
    call = partial(tool, **{name: item}, **shared)
    return await (call() if _is_async(tool) else anyio.to_thread.run_sync(call))


def _is_async(tool: Callable[..., Any]) -> bool:
    """Tell whether a tool, be it a function or an object that can be called, gives what is to be awaited."""
    return inspect.iscoroutinefunction(tool) or inspect.iscoroutinefunction(type(tool).__call__)


async def _run_all(
    call: Callable[[Any], Coroutine[Any, Any, Any]], items: list[Any], *, limit: int, context: Context[Any, Any] | None
) -> list[ItemResult]:
    results: list[ItemResult] = []
    free = anyio.CapacityLimiter(limit)

    async def run_one(index: int, item: Any) -> None:
        async with free:
            results.append(await _result_of(call, index, item))
            if context is not None:  # a test that calls the tool itself has none
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
