"""A client may send its own correlation id."""

from __future__ import annotations

import pytest

from {{cookiecutter.project_slug}}.server.client_id import client_correlation_id


def _clean(text: str) -> str:
    return text.replace("hunter2", "")


@pytest.mark.parametrize("meta", [None, {}, {"other": 1}, {"correlation_id": None}])
def test_without_a_client_id_there_is_no_note(meta: dict[str, object] | None) -> None:
    """Most clients send none."""
    assert client_correlation_id(meta, _clean) == (None, None)


@pytest.mark.parametrize("key", ["correlation_id", "correlationId"])
def test_a_harmless_client_id_is_used(key: str) -> None:
    """Up to 128 printable characters."""
    assert client_correlation_id({key: "\u00e9" * 128}, _clean) == ("\u00e9" * 128, None)


REJECTED = {
    "number": (7, "was of type int, not a string"),
    "empty": ("", "had 0 characters instead of 1 to 128"),
    "long": ("x" * 129, "had 129 characters instead of 1 to 128"),
    "line end": ("a\nb", "was not printable"),
    "secret": ("id-hunter2", "contained a secret"),
}


@pytest.mark.parametrize(("value", "reason"), REJECTED.values(), ids=REJECTED)
def test_a_harmful_client_id_is_rejected_with_a_reason(value: object, reason: str) -> None:
    """The note names the key as the client spelt it, and does not repeat the value."""
    note = f"the client's correlation_id {reason}"
    assert client_correlation_id({"correlation_id": value}, _clean) == (None, note)
