"""What a request returns: its text and its size."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.types import CallToolResult, GetPromptResult, TextContent

from ..logging.json_safe import encode_json, json_size

if TYPE_CHECKING:
    from mcp.types import ContentBlock

PLAIN_RESULT = frozenset({"content", "structured_content", "is_error"})
PLAIN_TEXT = frozenset({"type", "text"})
"""Fields of a result and of its text whose JSON is known without pydantic."""
STRUCTURED = len('"structuredContent":')
"""The size of the name of a result's structure."""


def summary_of(result: object) -> str:
    """Return the texts of a result, with a placeholder for other content such as images."""
    if isinstance(result, CallToolResult):
        content = result.content
        if not content and result.structured_content is not None:
            return encode_json(result.structured_content)
        if len(content) == 1 and isinstance(block := content[0], TextContent):
            return block.text
        return "\n".join(map(_text_of, content))
    if isinstance(result, GetPromptResult):
        return "\n".join(f"{message.role}: {_text_of(message.content)}" for message in result.messages)
    return "\n".join(
        contents.content if isinstance(contents.content, str) else f"[{len(contents.content)} bytes]"
        for contents in _resource_contents(result)
    )


def size_of(result: object) -> int | None:
    """Return the bytes of a result as compact JSON, which is what fills the model's context; None if unknown."""
    if isinstance(result, CallToolResult):
        return _size_of_plain_text(result) or _size_of_model(result)
    if isinstance(result, GetPromptResult):
        return _size_of_model(result)
    sizes = [_resource_size(contents.content) for contents in _resource_contents(result)]
    return sum(size for size in sizes if size is not None) if sizes else None


def _size_of_plain_text(result: CallToolResult) -> int | None:
    """Return the size of one plain text, as most results are, or None; pydantic takes three times as long.

    Whatever else is set, also in later versions of the SDK, is left to pydantic.
    """
    content, structured = result.content, result.structured_content
    if result.is_error or len(content) != 1 or not result.__pydantic_fields_set__ <= PLAIN_RESULT:
        return None
    block = content[0]
    if not isinstance(block, TextContent) or not block.__pydantic_fields_set__ <= PLAIN_TEXT:
        return None
    size = json_size([block.text] if structured is None else [block.text, structured])
    return None if size is None else size + _size_around_text() + (0 if structured is None else STRUCTURED)


@cache
def _size_around_text() -> int:
    """Return the size of a result with one text, less that of a list with the text."""
    size = _size_of_model(CallToolResult(content=[TextContent(type="text", text="")]))
    assert size is not None  # noqa: S101 - an empty text is JSON
    return size - len('[""]')


def _size_of_model(result: CallToolResult | GetPromptResult) -> int | None:
    try:
        return len(result.__pydantic_serializer__.to_json(result, by_alias=True, exclude_none=True))
    except Exception:  # noqa: BLE001 - lone surrogates, and objects of the tool's that JSON cannot express
        return None


def _text_of(block: ContentBlock) -> str:
    return block.text if isinstance(block, TextContent) else f"[{block.type}]"


def _resource_contents(result: object) -> list[ReadResourceContents]:
    """Return the contents of a resource; an iterator is left alone, because reading it would consume it."""
    items = result if isinstance(result, Sequence) else ()
    return [item for item in items if isinstance(item, ReadResourceContents)]


def _resource_size(content: str | bytes) -> int | None:
    """Return the bytes of a text as a JSON string, or of binary content as one in base64."""
    return json_size(content) if isinstance(content, str) else 4 * -(-len(content) // 3) + 2
