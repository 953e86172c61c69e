"""Texts and sizes of results."""

from __future__ import annotations

import json

import pytest
from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.types import Annotations, CallToolResult, GetPromptResult, ImageContent, PromptMessage, TextContent

from {{cookiecutter.project_slug}}.server.results import size_of, summary_of

TEXT = TextContent(type="text", text="caf\u00e9")
IMAGE = ImageContent(type="image", data="aGk=", mime_type="image/png")
RESULTS = {
    "text": (CallToolResult(content=[TEXT]), "caf\u00e9"),
    "several blocks": (CallToolResult(content=[TEXT, IMAGE]), "caf\u00e9\n[image]"),
    "structured only": (CallToolResult(content=[], structured_content={"a": 1}), '{"a":1}'),
    "nothing": (CallToolResult(content=[]), ""),
    "prompt": (GetPromptResult(messages=[PromptMessage(role="user", content=TEXT)]), "user: caf\u00e9"),
    "resource": ([ReadResourceContents("caf\u00e9"), ReadResourceContents(b"1234")], "caf\u00e9\n[4 bytes]"),
}


@pytest.mark.parametrize(("result", "summary"), RESULTS.values(), ids=RESULTS)
def test_a_summary_is_the_text_of_a_result(result: object, summary: str) -> None:
    """Other content is named by its type or its size."""
    assert summary_of(result) == summary


SIZED = {
    "text": CallToolResult(content=[TEXT]),
    "escaped": CallToolResult(content=[TextContent(type="text", text='"\\\n\x01\x7f\u2028')]),
    "structured": CallToolResult(content=[TEXT], structured_content={"a": None, "b": [1.5, True], "c": {}}),
    "empty structure": CallToolResult(content=[TEXT], structured_content={}),
    "error": CallToolResult(content=[TEXT], is_error=True),
    "metadata": CallToolResult(content=[TEXT], _meta={"a": 1}),
    "metadata of the text": CallToolResult(content=[TextContent(type="text", text="a", _meta={"a": 1})]),
    "annotations": CallToolResult(
        content=[TextContent(type="text", text="a", annotations=Annotations(audience=["user"]))]
    ),
    "image": CallToolResult(content=[IMAGE]),
    "nothing": CallToolResult(content=[]),
    "prompt": GetPromptResult(messages=[PromptMessage(role="user", content=TEXT)]),
}


@pytest.mark.parametrize("result", SIZED.values(), ids=SIZED)
def test_a_size_is_that_of_compact_json(result: CallToolResult | GetPromptResult) -> None:
    """Characters beyond ASCII count as UTF-8."""
    document = result.model_dump(mode="json", by_alias=True, exclude_none=True)
    assert size_of(result) == len(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode())


def test_a_size_of_a_resource_is_that_of_its_contents() -> None:
    """Binary content counts as base64."""
    assert size_of([ReadResourceContents("caf\u00e9"), ReadResourceContents(b"1234")]) == len('"caf__"') + len(
        '"MTIzNA=="'
    )


def test_the_contents_of_an_iterator_are_not_consumed() -> None:
    """Their size is unknown, and the client still gets them."""
    contents = iter([ReadResourceContents("text")])
    assert (size_of(contents), summary_of(contents)) == (None, "")
    assert next(contents).content == "text"


@pytest.mark.parametrize("value", ["a\udcff.txt", object()], ids=["lone surrogate", "object"])
def test_a_result_that_is_not_json_has_no_size(value: object) -> None:
    """The call is recorded nevertheless."""
    assert size_of(CallToolResult(content=[], structured_content={"value": value})) is None
