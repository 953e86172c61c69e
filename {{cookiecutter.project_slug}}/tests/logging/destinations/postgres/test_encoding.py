"""Rows of the PostgreSQL table."""

from __future__ import annotations

from helpers import make_entry

from {{cookiecutter.project_slug}}.logging.destinations.postgres.encoding import row_of
from {{cookiecutter.project_slug}}.logging.entry import FIELD_NAMES


def test_a_row_has_the_values_in_the_order_of_the_fields() -> None:
    """COPY assigns values to columns by their position."""
    entry = make_entry(**{name: name for name in FIELD_NAMES if name not in ("message", "timestamp")})
    entry.input_args = entry.extra_data = None
    assert list(row_of(entry)) == [getattr(entry, name) for name in FIELD_NAMES]
