"""The arguments of a tool on the command line."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import pytest
from mcp.server import MCPServer
from pydantic import BaseModel

from {{cookiecutter.project_slug}}.cli.tool_arguments import read_arguments
from {{cookiecutter.project_slug}}.logging.errors import SettingError


class City(BaseModel):
    """A parameter with fields."""

    name: str


def visit(
    city: City,
    note: str,
    days: int = 1,
    budget: float = 0.5,
    alone: bool = True,
    stops: list[str] | None = None,
    prices: dict[str, int] | None = None,
    friend: str | None = None,
    room: int | str = 1,
    unit: Literal["km", "miles"] = "km",
    extra: Any = None,
) -> None:
    """Have a parameter of each type."""


def schema_of(function: Any) -> dict[str, Any]:
    """Return the input schema that clients see for a function."""
    server = MCPServer("schemas")
    server.add_tool(function)
    (tool,) = asyncio.run(server.list_tools())
    return tool.input_schema


NEEDED = ("city={}", "note=n")


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("note=a=b c", "a=b c"),
        ("note=5", "5"),
        ("note=", ""),
        ("days=5", 5),
        ("days=-1", -1),
        ("days=2.0", 2),
        ("budget=2", 2),
        ("budget=2.5", 2.5),
        ("alone=false", False),
        ('stops=["a", "b"]', ["a", "b"]),
        ("stops=null", None),
        ('prices={"tea": 3}', {"tea": 3}),
        ('city={"name": "Oslo"}', {"name": "Oslo"}),
        ("friend=Ann", "Ann"),
        ("friend=5", "5"),
        ("friend=null", None),
        ("room=5", 5),
        ("room=5b", "5b"),
        ("unit=miles", "miles"),
        ("extra=[1]", [1]),
        ("extra=plain", "plain"),
    ],
)
def test_a_value_has_the_type_of_its_parameter(word: str, value: object) -> None:
    """Text stays text; where a parameter may be either, what is JSON of the other type is that type."""
    name = word.partition("=")[0]
    others = [word for word in NEEDED if not word.startswith(f"{name}=")]
    assert read_arguments("visit", schema_of(visit), [word, *others])[name] == value


def test_one_json_object_may_take_the_place_of_the_pairs() -> None:
    """It is passed on as it is, and may be surrounded by spaces."""
    text = ' {"city": {"name": "Oslo"}, "note": "n", "days": 2} '
    expected = {"city": {"name": "Oslo"}, "note": "n", "days": 2}
    assert read_arguments("visit", schema_of(visit), [text]) == expected


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (['{"note": }'], "The arguments are not valid JSON: Expecting value: line 1 column 10 (char 9)"),
        (['{"days": NaN}'], "The arguments are not valid JSON: NaN is not a number in JSON"),
        (["[" * 100_000], "The arguments are not valid JSON: "),
        (["[1]"], "The arguments are a JSON list, but a tool needs a JSON object"),
        (["Oslo"], "'Oslo' is neither a JSON object nor key=value"),
        (['{"note": "n"}', "days=1"], '\'{"note": "n"}\' is neither a JSON object nor key=value'),
        (["note=a", "note=b"], "note is given twice"),
        ([*NEEDED, "nots=a"], "visit has no parameter 'nots'; did you mean note?"),
        (['{"nots": 1}'], "visit has no parameter 'nots'; did you mean note?"),
        ([*NEEDED, "xyz=a"], "visit has no parameter 'xyz'; it takes city, note, days,"),
        ([*NEEDED, "days=many"], "days must be a whole number, not 'many'"),
        ([*NEEDED, "days=1.5"], "days must be a whole number, not '1.5'"),
        ([*NEEDED, "days=true"], "days must be a whole number, not 'true'"),
        ([*NEEDED, "budget=NaN"], "budget must be a number, not 'NaN'"),
        ([*NEEDED, "alone=maybe"], "alone must be true or false, not 'maybe'"),
        ([*NEEDED, "stops=a,b"], "stops must be a JSON list or null, not 'a,b'"),
        (["city=Oslo", "note=n"], "city must be a JSON object, not 'Oslo'"),
        (['{"city": {}, "note": 5}'], "note must be a string, not 5"),
        (["note=n"], "visit needs city (a JSON object)"),
        ([], "visit needs city (a JSON object) and note (a string)"),
    ],
)
def test_what_does_not_fit_is_one_sentence(words: list[str], sentence: str) -> None:
    """It names the parameter, what it must be, and what was given."""
    with pytest.raises(SettingError) as raised:
        read_arguments("visit", schema_of(visit), words)
    assert str(raised.value).startswith(sentence)
    assert "\n" not in str(raised.value)


def test_a_tool_without_parameters_takes_no_arguments() -> None:
    """Calling it needs no word."""

    def ping() -> str:
        return "pong"

    assert read_arguments("ping", schema_of(ping), []) == read_arguments("ping", schema_of(ping), ["{}"]) == {}
    with pytest.raises(SettingError, match="ping has no parameter 'x'; it takes no arguments"):
        read_arguments("ping", schema_of(ping), ["x=1"])


def test_a_schema_of_any_form_is_understood() -> None:
    """Tools of other origin may use all of JSON Schema, and accept parameters that they do not name."""
    schema = {
        "properties": {
            "one": {"oneOf": [{"const": 1}, {"enum": [True, None]}]},
            "two": {"allOf": [{"$ref": "#/$defs/Two"}]},
            "three": {"type": ["integer", "null"]},
        },
        "$defs": {"Two": {"type": "number"}},
        "additionalProperties": {},
    }
    words = ["one=true", "two=2", "three=null", "four=4"]
    assert read_arguments("any", schema, words) == {"one": True, "two": 2, "three": None, "four": 4}
    with pytest.raises(SettingError, match="one must be a whole number or true or false or null, not 'x'"):
        read_arguments("any", schema, ["one=x"])
