"""What a request returns: whether it is an error, its text, and its size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.types import CallToolResult, GetPromptResult, TextContent

from ..logging.json_safe import encode_json, json_size

if TYPE_CHECKING:
    from mcp.types import ContentBlock


def is_error(result: object) -> bool:
    """Return whether a tool returned an error without raising it."""
    return isinstance(result, CallToolResult) and bool(result.is_error)


def summary_of(result: object) -> str:
    """Return the texts of a result, with a placeholder for other content such as images."""
    if isinstance(result, CallToolResult):
        if not result.content and result.structured_content is not None:
            return encode_json(result.structured_content)
        return "\n".join(map(_text_of, result.content))
    if isinstance(result, GetPromptResult):
        return "\n".join(f"{message.role}: {_text_of(message.content)}" for message in result.messages)
    return "\n".join(
        contents.content if isinstance(contents.content, str) else f"[{len(contents.content)} bytes]"
        for contents in _resource_contents(result)
    )


def size_of(result: object) -> int | None:
    """Return the bytes of a result as compact JSON, which is what fills the model's context; None if unknown."""
    if isinstance(result, CallToolResult | GetPromptResult):
        try:
            return len(result.__pydantic_serializer__.to_json(result, by_alias=True, exclude_none=True))
        except Exception:  # noqa: BLE001 - lone surrogates, and objects of the tool's that JSON cannot express
            return None
    sizes = [_resource_size(contents.content) for contents in _resource_contents(result)]
    return sum(size for size in sizes if size is not None) if sizes else None


def _text_of(block: ContentBlock) -> str:
    return block.text if isinstance(block, TextContent) else f"[{block.type}]"


def _resource_contents(result: object) -> list[ReadResourceContents]:
    """Return the contents of a resource; an iterator is left alone, because reading it would consume it."""
    items = result if isinstance(result, Sequence) else ()
    return [item for item in items if isinstance(item, ReadResourceContents)]


def _resource_size(content: str | bytes) -> int | None:
    """Return the bytes of a text as a JSON string, or of binary content as one in base64."""
    return json_size(content) if isinstance(content, str) else 4 * -(-len(content) // 3) + 2
