"""The name of the PostgreSQL table."""

from __future__ import annotations

import pytest

from {{cookiecutter.project_slug}}.logging.destinations.postgres import PostgresDestination
from {{cookiecutter.project_slug}}.logging.errors import SettingError

from .postgres_helpers import make_settings


@pytest.mark.parametrize("name", ["", "a.b.c", "a.", ".a", "1a", "a b", "a\n", "ü", 'x"; drop table y; --', "x" * 64])
def test_a_malformed_table_name_is_rejected(name: str) -> None:
    """The message names the setting and its value."""
    with pytest.raises(SettingError, match=r"^POSTGRES_TABLE is ") as caught:
        PostgresDestination(make_settings(postgres_table=name))
    assert repr(name) in str(caught.value)


@pytest.mark.parametrize(("name", "quoted"), [("Logs", '"Logs"'), ("audit.order$1", '"audit"."order$1"')])
def test_a_table_name_is_quoted(name: str, quoted: str) -> None:
    """Quotes preserve upper case and allow reserved words."""
    assert str(PostgresDestination(make_settings(postgres_table=name)).table) == quoted
