"""The arguments of a tool on the command line: one JSON object, or `key=value` pairs typed by the tool's schema."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

from ..logging.errors import SettingError
from .suggestions import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Schema = Mapping[str, Any]

NAMES = {
    "string": "a string",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a JSON list",
    "object": "a JSON object",
    "null": "null",
}
"""The types of JSON Schema, as people call them."""
ALL = frozenset(NAMES)
TYPES: dict[type, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    list: "array",
    dict: "object",
    type(None): "null",
}
"""The types of JSON Schema by those of Python."""


def read_arguments(tool: str, schema: Schema, words: Sequence[str]) -> dict[str, Any]:
    """Return the arguments of a call; raise SettingError with one sentence if they do not fit the tool's schema."""
    is_json = len(words) == 1 and words[0].lstrip().startswith(("{", "["))
    given = _read_object(words[0]) if is_json else _read_pairs(words)
    parameters = schema.get("properties", {})
    if schema.get("additionalProperties", False) is False:
        _refuse_unknown(tool, given, parameters)
    types = {name: types_of(parameters.get(name, {}), schema) for name in (*parameters, *given)}
    if not is_json:
        given = {name: _typed(text, types[name]) for name, text in given.items()}
    for name, value in given.items():
        if not _fits(value, types[name]):
            _fail(f"{name} must be {_named(types[name])}, not {_shown(value)}")
    if missing := [f"{name} ({_named(types[name])})" for name in schema.get("required", ()) if name not in given]:
        _fail(f"{tool} needs {' and '.join(missing)}")
    return given


def types_of(part: Schema, root: Schema) -> frozenset[str]:
    """Return the JSON types that a part of a schema allows: all, unless it restricts them."""
    while "$ref" in part:
        part = _resolve(part["$ref"], root)
    if named := part.get("type"):
        return frozenset([named] if isinstance(named, str) else named)
    if choices := [*part.get("anyOf", ()), *part.get("oneOf", ()), *part.get("allOf", ())]:
        return frozenset().union(*(types_of(choice, root) for choice in choices))
    if values := part.get("enum", [part["const"]] if "const" in part else []):
        return frozenset(TYPES[type(value)] for value in values)
    return ALL


def _read_object(text: str) -> dict[str, Any]:
    try:
        values = _parse(text)
    except (ValueError, RecursionError) as error:
        _fail(f"The arguments are not valid JSON: {error}")
    if not isinstance(values, dict):
        _fail("The arguments are a JSON list, but a tool needs a JSON object")
    return values


def _read_pairs(words: Sequence[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            _fail(f"{word!r} is neither a JSON object nor key=value")
        if name in pairs:
            _fail(f"{name} is given twice")
        pairs[name] = text
    return pairs


def _refuse_unknown(tool: str, given: Mapping[str, object], parameters: Mapping[str, object]) -> None:
    for name in given:
        if name not in parameters:
            hint = did_you_mean(name, parameters) or f"; it takes {', '.join(parameters) or 'no arguments'}"
            _fail(f"{tool} has no parameter {name!r}{hint}")


def _typed(text: str, types: frozenset[str]) -> object:
    """Parse the text as JSON if the schema allows the result; otherwise return it unchanged."""
    if types == {"string"}:
        return text
    try:
        value = _parse(text)
    except (ValueError, RecursionError):
        return text
    return value if _fits(value, types - {"string"}) else text


def _parse(text: str) -> Any:
    def refuse(constant: str) -> NoReturn:
        msg = f"{constant} is not a number in JSON"
        raise ValueError(msg)

    return json.loads(text, parse_constant=refuse)


def _fits(value: object, types: frozenset[str]) -> bool:
    kind = TYPES[type(value)]
    if isinstance(value, float) and value.is_integer() and "integer" in types:
        return True
    return kind in types or (kind == "integer" and "number" in types)


def _resolve(reference: str, root: Schema) -> Schema:
    """Return the part of a schema that a reference such as `#/$defs/City` names."""
    part = root
    for key in reference.removeprefix("#/").split("/"):
        part = part[key]
    return part


def _named(types: frozenset[str]) -> str:
    if types == ALL:
        return "any value"
    hidden = {"integer"} if "number" in types else set()
    return " or ".join(name for kind, name in NAMES.items() if kind in types - hidden)


def _shown(value: object) -> str:
    return repr(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _fail(sentence: str) -> NoReturn:
    raise SettingError(sentence)
