"""Read settings from a YAML file, and find the keys of both configuration files that are not settings."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic_settings import BaseSettings, InitSettingsSource

from .logging.errors import SettingError
from .unread_files import CONFIG_FILE, why_unread

SIMILARITY = 0.8
"""How similar to a setting, from 0 to 1, a variable in `.env` must be to count as a misspelt one."""
SIMILARITY_OF_FOREIGN = 0.9
"""The same for a variable that begins like those of another program."""

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")


class ConfigFileSource(InitSettingsSource):
    """The settings in the file that `config_file` names, or in `config.yaml` if that exists."""

    def __init__(self, settings_cls: type[BaseSettings]) -> None:
        super().__init__(settings_cls, init_kwargs={})

    def __call__(self) -> dict[str, Any]:
        """Return the settings in the file."""
        if named := self.current_state.get("config_file"):
            return read_config_file(Path(named))
        is_there = not why_unread(CONFIG_FILE) and CONFIG_FILE.is_file()
        return read_config_file(CONFIG_FILE) if is_there else {}


def read_config_file(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file, with `${VAR}` and `${VAR:-default}` replaced from the environment.

    Raise SettingError that names the file and the line if it is broken.
    """
    try:
        values = _parse(path.read_text(encoding="utf-8"), path)
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path} cannot be read: {error}"
        raise SettingError(msg) from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        msg = f"{path} contains a {type(values).__name__} instead of one setting per line, such as log_level: DEBUG"
        raise SettingError(msg)
    try:
        return {str(key).lower(): _expand(value, path) for key, value in values.items()}
    except RecursionError as error:
        msg = f"{path} contains a list that contains itself"
        raise SettingError(msg) from error


def unknown_keys(path: Path, keys: Iterable[str], known: Collection[str]) -> Iterator[str]:
    """Yield a sentence for each key of a configuration file that is not a setting, with the most similar setting."""
    for key in keys:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            yield f"{path}: {key} is not a setting" + (f"; did you mean {near[0]}?" if near else "")


def is_meant_for_us(variable: str, known: Collection[str], foreign_prefixes: tuple[str, ...]) -> bool:
    """Return whether a variable in `.env`, which may be another program's, is one of ours or looks like one."""
    if variable.startswith("LOG_"):
        return True
    cutoff = SIMILARITY_OF_FOREIGN if variable.startswith(foreign_prefixes) else SIMILARITY
    return get_close_matches(variable, known, cutoff=cutoff) != []


def _parse(text: str, path: Path) -> Any:
    import yaml  # noqa: PLC0415 - 15 ms that most starts do not need

    try:
        return yaml.safe_load(text)
    except Exception as error:  # an impossible date is a ValueError, deep nesting a RecursionError, and so on
        line = _line_of(error, text)
        where = f"{path}, line {line}" if line else str(path)
        reason = getattr(error, "problem", None) or getattr(error, "reason", None) or f"{type(error).__name__}: {error}"
        msg = f"{where} is not valid YAML: {reason}"
        raise SettingError(msg) from error


def _line_of(error: Exception, text: str) -> int | None:
    if mark := getattr(error, "problem_mark", None):
        return int(mark.line) + 1
    position = getattr(error, "position", None)  # errors about invalid characters have no mark
    return None if position is None else text.count("\n", 0, position) + 1


def _expand(value: Any, path: Path) -> Any:
    if isinstance(value, list):
        return [_expand(item, path) for item in value]
    if not isinstance(value, str):
        return value

    def replace(match: re.Match[str]) -> str:
        found = os.environ.get(match["name"], match["default"])
        if found is None:
            msg = f"{path} uses ${{{match['name']}}}, which is not set in the environment"
            raise SettingError(msg)
        return found

    return _VARIABLE.sub(replace, value)
