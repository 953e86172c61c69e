"""The YAML configuration file: `${VAR}` expanded, problems told with their line, never written to."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from .logging.errors import SettingError

if TYPE_CHECKING:
    from pathlib import Path

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")


def read_config_file(path: Path) -> dict[str, Any]:
    """Return a YAML mapping with `${VAR}` and `${VAR:-default}` replaced from the environment.

    Raises SettingError that names the file and the line of what is wrong with it.
    """
    import yaml  # noqa: PLC0415 - 15 ms that most starts do not need

    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path} cannot be read: {error}"
        raise SettingError(msg) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}, line {mark.line + 1}" if mark else str(path)
        msg = f"{where} is not valid YAML: {getattr(error, 'problem', None) or error}"
        raise SettingError(msg) from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        msg = f"{path} holds a {type(values).__name__}; it takes one setting per line, such as log_level: DEBUG"
        raise SettingError(msg)
    return {str(key).lower(): _expand(value, path) for key, value in values.items()}


def _expand(value: Any, path: Path) -> Any:
    if isinstance(value, list):
        return [_expand(item, path) for item in value]
    if not isinstance(value, str):
        return value

    def replace(match: re.Match[str]) -> str:
        found = os.environ.get(match["name"], match["default"])
        if found is None:
            msg = f"{path} asks for ${{{match['name']}}}, which is not set in the environment"
            raise SettingError(msg)
        return found

    return _VARIABLE.sub(replace, value)
