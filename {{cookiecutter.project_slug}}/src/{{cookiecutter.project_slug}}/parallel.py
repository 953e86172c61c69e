"""Turn a tool for one item into a tool for many. `tools/parallel_examples.py` shows how."""

from __future__ import annotations

import inspect
from functools import partial, wraps
from typing import TYPE_CHECKING, Annotated, Any, get_args

import anyio
import anyio.to_thread
from loguru import logger
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import BaseModel, Field

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

MAX_ITEMS = 1_000
"""Maximum items per call."""
NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
"""Kinds of parameters that accept keyword arguments, which is how the SDK calls tools."""


class ItemResult(BaseModel):
    """The result or the error of one item."""

    index: int
    ok: bool
    result: Any = None
    error: str | None = None


def parallelize(
    *, limit: int = 8, max_items: int = MAX_ITEMS
) -> Callable[[Callable[..., Any]], Callable[..., Coroutine[Any, Any, list[ItemResult]]]]:
    """Turn a tool for one item into a tool for up to `max_items`; at most `limit` items run at a time.

    The first parameter becomes a list: `text` becomes `texts`. All items share the other parameters and the context.
    The results keep the order of the items; an error is the result of its own item only. Progress is reported after
    each item. Cancelling the call cancels its running items. Raise ValueError if `limit` is below 1, if the tool has no
    parameter for the item, or if the name of the list is taken.
    """
    if limit < 1:
        msg = f"limit is {limit}; it must be at least 1"
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
        del batch.__wrapped__  # inspection must find the list, not the item
        return batch

    return decorate


def _item_and_context(tool: str, parameters: Mapping[str, inspect.Parameter]) -> tuple[str, str]:
    """Return the names of the item parameter and the context parameter; a tool without a context gets one."""
    contexts = [name for name, parameter in parameters.items() if _is_context(parameter.annotation)]
    items = [name for name in parameters if name not in contexts]
    if not items or parameters[items[0]].kind not in NAMED:
        msg = f"{tool} has no parameter that can become a list; the first parameter of the tool must be the item"
        raise ValueError(msg)
    if f"{items[0]}s" in parameters:
        msg = f"{tool} already has a parameter {items[0]}s, the name of the list; rename one of them"
        raise ValueError(msg)
    return items[0], contexts[0] if contexts else "batch_context"


def _is_context(annotation: Any) -> bool:
    """Return whether the SDK passes the context to a parameter, also to one of type `Context | None`."""
    return any(inspect.isclass(kind) and issubclass(kind, Context) for kind in (annotation, *get_args(annotation)))


def _batch_signature(
    parameters: Mapping[str, inspect.Parameter], item: str, context: str, max_items: int
) -> inspect.Signature:
    """Return the signature of the batch tool; the SDK hides the context from clients."""
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
    """Return whether a tool, a function or a callable object, is async."""
    return inspect.iscoroutinefunction(tool) or inspect.iscoroutinefunction(type(tool).__call__)


async def _run_all(
    call: Callable[[Any], Coroutine[Any, Any, Any]], items: list[Any], *, limit: int, context: Context[Any, Any] | None
) -> list[ItemResult]:
    results: list[ItemResult] = []
    free = anyio.CapacityLimiter(limit)

    async def run_one(index: int, item: Any) -> None:
        async with free:
            results.append(await _result_of(call, index, item))
            if context is not None:  # None if a test calls the tool directly
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
    except Exception:  # noqa: BLE001 - the other items continue, and clients do not see the text
        logger.exception("item {index} failed", index=index)
        return ItemResult(index=index, ok=False, error="unexpected error")
