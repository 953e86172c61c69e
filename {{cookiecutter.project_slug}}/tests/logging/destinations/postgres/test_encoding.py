"""Rows of the PostgreSQL table."""

from __future__ import annotations

from helpers import make_entry

from {{cookiecutter.project_slug}}.logging.destinations.postgres.encoding import for_columns, row_of
from {{cookiecutter.project_slug}}.logging.entry import FIELD_NAMES, SCHEMA_1_FIELDS
from {{cookiecutter.project_slug}}.logging.json_safe import decode_json


def test_a_row_has_the_values_in_the_order_of_the_fields() -> None:
    """COPY assigns values to columns by their position."""
    entry = make_entry(**{name: name for name in FIELD_NAMES if name not in ("message", "timestamp")})
    entry.input_args = entry.extra_data = None
    assert list(row_of(entry)) == [getattr(entry, name) for name in FIELD_NAMES]


def test_a_value_without_a_column_goes_into_extra_data() -> None:
    """The other values keep the order of the columns, and the entry is not changed."""
    entry = make_entry(extra_data={"own": 1}, method="tools/call", input_size=7)
    row = dict(zip(SCHEMA_1_FIELDS, for_columns(row_of, SCHEMA_1_FIELDS)(entry), strict=True))
    assert decode_json(row["extra_data"]) == {"own": 1, "method": "tools/call", "input_size": 7}
    assert row["entry_id"] == entry.entry_id
    assert (entry.extra_data, entry.method) == ({"own": 1}, "tools/call")
