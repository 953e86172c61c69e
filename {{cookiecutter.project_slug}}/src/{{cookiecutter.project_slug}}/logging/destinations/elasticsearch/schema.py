"""The daily indices in Elasticsearch: their names, mapping and template."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from ...entry import FIELD_NAMES, INTEGER_FIELDS, JSON_FIELDS, SCHEMA_1_FIELDS
from ...query import TEXT_FIELDS

TEMPLATE_VERSION = 2
TEMPLATE_PRIORITY = 500
"""Above the templates that a cluster ships with; the prefix's length is added, so the more specific prefix wins."""
MAX_INDEXED_CHARACTERS = 8_191
"""Longer keywords are stored but not indexed: a term has at most 32,766 bytes, a character up to four."""

_KEYWORD = {"type": "keyword", "ignore_above": MAX_INDEXED_CHARACTERS}
_LOWER_KEYWORD = {**_KEYWORD, "normalizer": "lowercase", "doc_values": False}
_LOWER = {"lower": _LOWER_KEYWORD}
_NAME = {**_KEYWORD, "fields": _LOWER}
_TEXT = {"type": "text", "fields": _LOWER}
_INTEGER = {"type": "long"}
_OBJECT = {"type": "object", "enabled": False}
ARGUMENT_VALUES = "argument_values"
"""A field beside those of an entry: the values in `input_args`, which is not indexed itself, for the text filter."""
_FIELD_TYPES: dict[str, dict[str, Any]] = {
    **dict.fromkeys(FIELD_NAMES, _KEYWORD),
    **dict.fromkeys(TEXT_FIELDS, _NAME),
    **dict.fromkeys(("message", "output_summary", "error_message", "traceback"), _TEXT),
    **dict.fromkeys(INTEGER_FIELDS, _INTEGER),
    **dict.fromkeys(JSON_FIELDS, _OBJECT),
    "timestamp": {"type": "date_nanos", "ignore_malformed": True},  # `date` would drop microseconds
    "duration_ms": {"type": "double"},
    ARGUMENT_VALUES: _LOWER_KEYWORD,
}
ADDED_FIELDS = {
    name: kind for name, kind in _FIELD_TYPES.items() if name not in SCHEMA_1_FIELDS or name == "error_type"
}
"""The fields that version 1 of the template lacks, and `error_type`, which had no subfield for substring searches."""
_TEMPLATE_KEYS = (
    "index_patterns", "priority", "composed_of", "ignore_missing_component_templates", "allow_auto_create", "_meta"
)  # fmt: skip
"""What an upgraded template keeps, besides `template`; a reply also has keys that a request must not have."""


def daily_index(prefix: str, day: date) -> str:
    """Return the name of the index for a day."""
    return f"{prefix}-{day.year:04}.{day.month:02}.{day.day:02}"


def index_pattern(prefix: str) -> str:
    """Return a pattern that matches all daily indices of a prefix; it may match foreign indices too."""
    return f"{prefix}-*.*.*"


def day_of(index: str, prefix: str) -> date | None:
    """Return the day of a daily index of exactly this prefix, or None for any other index."""
    found = re.fullmatch(rf"{re.escape(prefix)}-([0-9]{{4}})\.([0-9]{{2}})\.([0-9]{{2}})", index)
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None


def index_body() -> dict[str, Any]:
    """Return the settings and mapping of a daily index; unknown fields are stored but not indexed."""
    return {
        "settings": {"auto_expand_replicas": "0-1"},
        "mappings": {"dynamic": False, "properties": _FIELD_TYPES},
    }


def index_template(prefix: str) -> dict[str, Any]:
    """Return the body of the index template."""
    return {
        "index_patterns": [f"{prefix}-*"],
        "priority": TEMPLATE_PRIORITY + len(prefix),
        "version": TEMPLATE_VERSION,
        "template": index_body(),
    }


def upgraded_template(old: Mapping[str, Any]) -> dict[str, Any]:
    """Return an older template with the fields it lacks; an administrator may have changed the rest, so it stays."""
    body = old.get("template", {})
    mappings = body.get("mappings", {})
    properties = {**mappings.get("properties", {}), **ADDED_FIELDS}
    return {
        **{key: old[key] for key in _TEMPLATE_KEYS if key in old},
        "version": TEMPLATE_VERSION,
        "template": {**body, "mappings": {**mappings, "properties": properties}},
    }
