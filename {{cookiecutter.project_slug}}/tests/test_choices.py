"""The answers given when this project was generated."""

from __future__ import annotations

import pytest

from {{cookiecutter.project_slug}}.choices import COMMAND, DEFAULTS
from {{cookiecutter.project_slug}}.config import ServerConfig, load_config


@pytest.mark.parametrize("name", DEFAULTS)
def test_every_answer_is_the_default_of_a_valid_setting(name: str) -> None:
    """Without any other source, the answer applies."""
    expected = getattr(ServerConfig(**{name: DEFAULTS[name]}), name)
    assert getattr(load_config(), name) == expected


def test_the_command_is_named_after_the_package() -> None:
    """Package names have underscores, commands have dashes."""
    assert COMMAND.replace("-", "_") == ServerConfig.__module__.partition(".")[0]
