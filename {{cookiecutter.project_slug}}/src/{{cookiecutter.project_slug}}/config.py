"""Configuration: options, then environment, then `.env`, then YAML, then what was answered at generation."""

from __future__ import annotations

import logging
import os
import re
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from .choices import DEFAULTS, DestinationSettings
from .logging.errors import SettingError
from .logging.settings import TextList

CONFIG_FILE = Path("config.yaml")
"""Read from the working folder when it is there and no other file is named."""

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")
_logger = logging.getLogger(__name__)


def _path(value: object) -> object:
    if isinstance(value, str) and not value.startswith("/"):
        msg = "must begin with /"
        raise ValueError(msg)
    return value


class ServerConfig(DestinationSettings, BaseSettings):
    """Every setting, flat; each is an environment variable, a YAML key and an option of the same name.

    `ServerConfig(**values)` takes what it is given first. Raises pydantic's ValidationError for malformed values and
    SettingError for a broken configuration file; `load_config` makes both one sentence each.
    """

    model_config = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore")

    config_file: Path | None = Field(default=None, description="YAML file with settings; also the option --config.")
    transport: Literal["stdio", "streamable-http", "sse"] = Field(
        default="stdio", description="How clients reach the server: stdio, streamable-http or sse."
    )
    http_host: str = Field(default="127.0.0.1", description="Address the HTTP transports listen on.")
    http_port: int = Field(default=8000, ge=0, le=65_535, description="Port the HTTP transports listen on.")
    http_path: Annotated[str, BeforeValidator(_path)] = Field(
        default="/mcp", description="Path of the MCP endpoint; sse uses /sse unless this is set."
    )
    http_allowed_hosts: TextList = Field(
        default=[], description="More Host headers that are accepted, such as mcp.example.org, comma-separated."
    )
    http_allowed_origins: TextList = Field(
        default=[], description="More Origin headers that are accepted, such as https://example.org, comma-separated."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - files of secrets are not used
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources in the order in which they win."""
        answers = InitSettingsSource(settings_cls, init_kwargs=DEFAULTS)
        return init_settings, env_settings, dotenv_settings, _ConfigFileSource(settings_cls), answers


class _ConfigFileSource(InitSettingsSource):
    """The YAML file that an option or CONFIG_FILE names, or `config.yaml` where it is there."""

    def __init__(self, settings_cls: type[BaseSettings]) -> None:
        super().__init__(settings_cls, init_kwargs={})

    def __call__(self) -> dict[str, Any]:
        named = self.current_state.get("config_file")
        path = Path(named) if named else CONFIG_FILE
        if not named and not path.is_file():
            return {}
        values = read_config_file(path)
        _warn_of_unknown(values, path, list(self.settings_cls.model_fields))
        return values


def _warn_of_unknown(values: dict[str, Any], path: Path, known: list[str]) -> None:
    for name in values:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            _logger.warning("%s: %s is no setting%s", path, name, f"; did you mean {near[0]}?" if near else "")


def load_config(**values: object) -> ServerConfig:
    """Return the configuration; raise SettingError with one sentence for each setting that is malformed."""
    try:
        return ServerConfig(**values)  # type: ignore[arg-type]
    except ValidationError as error:
        raise SettingError("\n".join(_sentence(problem) for problem in error.errors())) from None


def _sentence(problem: Any) -> str:
    name = str(problem["loc"][0]) if problem["loc"] else ""
    shown = "not valid" if is_secret(name) else f"{problem['input']!r}"
    return f"{name.upper()} is {shown}: {problem['msg'].removeprefix('Value error, ')}."


def is_secret(name: str) -> bool:
    """Tell whether a setting's value must never be shown."""
    field = ServerConfig.model_fields.get(name)
    return field is None or SecretStr in (field.annotation, *getattr(field.annotation, "__args__", ()))


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
