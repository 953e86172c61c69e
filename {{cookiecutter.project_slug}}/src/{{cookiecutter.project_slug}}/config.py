"""Configuration: options, then environment, then `.env`, then YAML, then what was answered at generation."""

from __future__ import annotations

import logging
import os
import re
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PrivateAttr, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from .choices import DEFAULTS, DestinationSettings
from .logging.errors import SettingError
from .logging.redaction import without_login
from .logging.settings import LogSettings, TextList

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

CONFIG_FILE = Path("config.yaml")
"""Read from the working folder when it is there and no other file is named."""

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")
_logger = logging.getLogger(__name__)


class WithLogin(str):
    """A text with a login before an @, which its representation does not show."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Return the text as a literal, the login replaced."""
        return str.__repr__(without_login(self))


def _begins_with_slash(value: object) -> object:
    if isinstance(value, str) and not value.startswith("/"):
        msg = "must begin with /"
        raise ValueError(msg)
    return value


class ServerConfig(DestinationSettings, BaseSettings):
    """Every setting, flat; each is an environment variable, a YAML key and an option of the same name.

    `ServerConfig(**values)` takes what it is given first. Raises pydantic's ValidationError for malformed values and
    SettingError for a broken configuration file; `load_config` makes both one sentence each.
    """

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        hide_input_in_errors=True,  # it may be a secret
    )
    _problems: dict[str, str] = PrivateAttr(default_factory=dict)

    config_file: Path | None = Field(default=None, description="YAML file with settings; also the option --config.")
    transport: Literal["stdio", "streamable-http", "sse"] = Field(
        default="stdio", description="How clients reach the server: stdio, streamable-http or sse."
    )
    http_host: str = Field(default="127.0.0.1", description="Address the HTTP transports listen on.")
    http_port: int = Field(default=8000, ge=0, le=65_535, description="Port the HTTP transports listen on.")
    http_path: Annotated[str, BeforeValidator(_begins_with_slash)] = Field(
        default="/mcp", description="Path of the MCP endpoint; sse uses /sse unless this is set."
    )
    http_allowed_hosts: TextList = Field(
        default=[], description="More Host headers that are accepted, such as mcp.example.org, comma-separated."
    )
    http_allowed_origins: TextList = Field(
        default=[], description="More Origin headers that are accepted, such as https://example.org, comma-separated."
    )

    @property
    def problems(self) -> dict[str, str]:
        """The destinations that cannot be built because a setting of theirs is malformed, each with what is wrong."""
        return self._problems

    @field_validator("*")
    @classmethod
    def _hide_logins(cls, value: object) -> object:
        if isinstance(value, list):
            return [cls._hide_logins(item) for item in value]
        return WithLogin(value) if isinstance(value, str) and ":" in value.rpartition("@")[0] else value

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


def load_config(**values: Any) -> ServerConfig:
    """Return the configuration; raise SettingError with one sentence for each setting that is malformed.

    A malformed setting of a destination keeps that destination from being built, and nothing else: `problems`.
    """
    try:
        return ServerConfig(**values)
    except ValidationError as error:
        faults = error.errors()
    except (OSError, UnicodeDecodeError) as error:
        msg = f".env cannot be read: {error}"
        raise SettingError(msg) from error
    names = [str(fault["loc"][0]) for fault in faults]
    if not all(map(destination_of, names)):
        raise SettingError("\n".join(map(_sentence, faults)))
    defaults = {name: ServerConfig.model_fields[name].get_default(call_default_factory=True) for name in names}
    config = ServerConfig(**{**values, **defaults})
    for name, fault in zip(names, faults, strict=True):
        known = config.problems.get(destination_of(name), "")
        config.problems[destination_of(name)] = f"{known} {_sentence(fault)}".strip()
    return config


def _sentence(fault: ErrorDetails) -> str:
    name, value = str(fault["loc"][0]), fault["input"]
    text = repr(without_login(value)) if isinstance(value, str) else without_login(repr(value))
    shown = "not valid" if is_secret(name) else text
    return f"{name.upper()} is {shown}: {_reason(name, fault['msg'])}."


def _reason(name: str, told: str) -> str:
    """Return what a switch or a bounded number takes, and what was told of any other setting."""
    field = ServerConfig.model_fields[name]
    bounds = [getattr(item, "ge", getattr(item, "le", None)) for item in field.metadata]
    if field.annotation is int and bounds:
        return f"it takes a whole number from {bounds[0]} to {bounds[-1]}"
    return "it takes true or false" if field.annotation is bool else told.removeprefix("Value error, ")


def destination_of(setting: str) -> str:
    """Return the name of the destination that a setting is declared beside; empty for one of the server or of all."""
    if setting not in LogSettings.model_fields:
        for kind in DestinationSettings.__bases__:
            if issubclass(kind, LogSettings) and setting in kind.model_fields:
                return kind.__module__.rpartition(".")[2]
    return ""


def is_secret(name: str) -> bool:
    """Tell whether a setting's value must never be shown."""
    field = ServerConfig.model_fields.get(name)
    return field is None or SecretStr in (field.annotation, *getattr(field.annotation, "__args__", ()))


def read_config_file(path: Path) -> dict[str, Any]:
    """Return a YAML mapping with `${VAR}` and `${VAR:-default}` replaced from the environment.

    Raises SettingError that names the file and the line of what is wrong with it.
    """
    try:
        values = _parse(path.read_text(encoding="utf-8"), path)
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path} cannot be read: {error}"
        raise SettingError(msg) from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        msg = f"{path} holds a {type(values).__name__}; it takes one setting per line, such as log_level: DEBUG"
        raise SettingError(msg)
    try:
        return {str(key).lower(): _expand(value, path) for key, value in values.items()}
    except RecursionError as error:
        msg = f"{path} holds a list that contains itself"
        raise SettingError(msg) from error


def _parse(text: str, path: Path) -> Any:
    import yaml  # noqa: PLC0415 - 15 ms that most starts do not need

    try:
        return yaml.safe_load(text)
    except Exception as error:  # an impossible date is a ValueError, deep nesting a RecursionError, and so on
        line = _line_of(error, text)
        where = f"{path}, line {line}" if line else str(path)
        said = getattr(error, "problem", None) or getattr(error, "reason", None) or f"{type(error).__name__}: {error}"
        msg = f"{where} is not valid YAML: {said}"
        raise SettingError(msg) from error


def _line_of(error: Exception, text: str) -> int | None:
    if mark := getattr(error, "problem_mark", None):
        return int(mark.line) + 1
    position = getattr(error, "position", None)  # a character that YAML does not allow has no mark
    return None if position is None else text.count("\n", 0, position) + 1


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
