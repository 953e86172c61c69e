"""Error texts without the values of arguments."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError

from {{cookiecutter.project_slug}}.server.private import without_quoted_inputs, without_values


def test_values_are_replaced_wherever_they_occur() -> None:
    """Nested and quoted ones too; names and very short values stay, because any text contains them."""
    arguments = {"city": "Oslo", "nested": [{"note": "it's\ncold"}, 12345, "no", True]}
    text = 'city Oslo: "it\'s\\ncold" is no note 12345'
    assert without_values(text, arguments) == 'city [argument]: "[argument]" is no note [argument]'


def test_a_value_that_contains_another_is_replaced_first() -> None:
    """Otherwise a part of it would remain."""
    assert without_values("not found: Oslo-North", {"a": "Oslo", "b": "Oslo-North"}) == "not found: [argument]"


def test_the_inputs_that_pydantic_quotes_are_replaced() -> None:
    """In the whole text, and in one whose end was truncated."""

    class Arguments(BaseModel):
        number: int
        other: int

    with pytest.raises(ValidationError) as caught:
        Arguments.model_validate({"number": "swordfish", "other": "x" * 100})
    text = str(caught.value)
    for shown in (without_quoted_inputs(text), without_quoted_inputs(text[: text.index("swordfish") + 5])):
        assert "number\n  Input should be a valid integer" in shown
        assert "input_value=[argument]" in shown
        assert ("sword" in shown, "xxx" in shown) == (False, False)
