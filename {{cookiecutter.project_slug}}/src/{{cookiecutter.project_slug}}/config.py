"""The configuration: options, environment, `.env`, YAML file and generated defaults, in this order of precedence."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PrivateAttr, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from .choices import DEFAULTS
from .config_file import ConfigFileSource, is_meant_for_us, read_config_file, unknown_keys
from .logging.destinations import LOCAL, PRODUCTION, DestinationSettings
from .logging.errors import SettingError
from .logging.printable import readable
from .logging.redaction import without_login
from .logging.settings import LogSettings, TextList
from .unread_files import CONFIG_FILE, ENV_FILE, describe_unread, why_unread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import ValidationInfo
    from pydantic_core import ErrorDetails

DESTINATION_PREFIXES = tuple(f"{name.upper()}_" for name in (*LOCAL, *PRODUCTION))
"""How the settings of destinations begin, and the variables of the programs that they are named after."""


class TextWithLogin(str):
    """A string with a login before an @; its `repr` hides the login."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Return the literal with the login replaced."""
        return str.__repr__(without_login(self))


def _begins_with_slash(value: object) -> object:
    if isinstance(value, str) and not value.startswith("/"):
        msg = "must begin with /"
        raise ValueError(msg)
    return value


class ServerConfig(DestinationSettings, BaseSettings):
    """All settings. Each is an environment variable, a YAML key and an option of the same name.

    Arguments of `ServerConfig(**values)` win over all other sources. It raises pydantic's ValidationError for malformed
    values and SettingError for a broken YAML file; `load_config` turns both into sentences.
    """

    model_config = SettingsConfigDict(
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        hide_input_in_errors=True,  # it may be a secret
    )

    _unknown_keys: list[str] = PrivateAttr(default_factory=list)
    _unread_files: list[str] = PrivateAttr(default_factory=list)

    config_file: Path | None = Field(default=None, description="YAML file with settings; also the option --config.")
    transport: Literal["stdio", "streamable-http", "sse"] = Field(
        default="stdio", description="How clients reach the server: stdio, streamable-http or sse."
    )
    http_host: str = Field(default="127.0.0.1", description="Address that the HTTP transports listen on.")
    http_port: int = Field(default=8000, ge=0, le=65_535, description="Port that the HTTP transports listen on.")
    http_path: Annotated[str, BeforeValidator(_begins_with_slash)] = Field(
        default="/mcp", description="Path of the MCP endpoint; sse uses /sse unless this is set."
    )
    http_allowed_hosts: TextList = Field(
        default=[], description="Additional Host headers to accept, such as mcp.example.org, comma-separated."
    )
    http_allowed_origins: TextList = Field(
        default=[], description="Additional Origin headers to accept, such as https://example.org, comma-separated."
    )

    @property
    def unknown_keys(self) -> list[str]:
        """The keys of `.env` and of the YAML file that are not settings: one sentence for each."""
        return self._unknown_keys

    @property
    def unread_files(self) -> list[str]:
        """A sentence about the configuration files that cannot be read, if there are any."""
        return self._unread_files

    @field_validator("*", mode="before")
    @classmethod
    def _decode(cls, value: object, info: ValidationInfo) -> object:
        """Decode the bytes that the locale cannot decode, except in a path, which may contain any."""
        is_path = info.field_name is not None and _may_be(info.field_name, Path)
        return readable(value) if isinstance(value, str) and not is_path else value

    @field_validator("*")
    @classmethod
    def _hide_logins(cls, value: object) -> object:
        if isinstance(value, list):
            return [cls._hide_logins(item) for item in value]
        return TextWithLogin(value) if isinstance(value, str) and ":" in value.rpartition("@")[0] else value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - replaced, because it raises for unreadable files
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - files of secrets are not used
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources, highest precedence first."""
        env_file = DotEnvSettingsSource(settings_cls, env_file=None if why_unread(ENV_FILE) else ENV_FILE)
        answers = InitSettingsSource(settings_cls, init_kwargs=DEFAULTS)
        return init_settings, env_settings, env_file, ConfigFileSource(settings_cls), answers


def load_config(**values: Any) -> ServerConfig:
    """Return the configuration; raise SettingError with one sentence per malformed setting.

    A malformed setting of a destination disables only that destination: see `ServerConfig.problems`.
    """
    config = _load(values)
    config.unread_files.extend(describe_unread(ENV_FILE, *([] if config.config_file else [CONFIG_FILE])))
    config.unknown_keys.extend(_find_unknown_keys(config))
    return config


def _load(values: dict[str, Any]) -> ServerConfig:
    try:
        return ServerConfig(**values)
    except ValidationError as error:
        faults = error.errors()
    names = [str(fault["loc"][0]) for fault in faults]
    if not all(map(destination_of, names)):
        raise SettingError("\n".join(map(_sentence, faults)))
    defaults = {name: ServerConfig.model_fields[name].get_default(call_default_factory=True) for name in names}
    config = ServerConfig(**{**values, **defaults})
    for name, fault in zip(names, faults, strict=True):
        known = config.problems.get(destination_of(name), "")
        config.problems[destination_of(name)] = f"{known} {_sentence(fault)}".strip()
    return config


def _find_unknown_keys(config: ServerConfig) -> Iterator[str]:
    """Read both files once more, unless they are pipes, which can be read only once."""
    if not why_unread(ENV_FILE) and ENV_FILE.is_file():
        variables = [name.upper() for name in ServerConfig.model_fields]
        source = DotEnvSettingsSource(ServerConfig, env_file=ENV_FILE)
        given = dict.fromkeys(name.upper() for name in source.env_vars)  # in order
        ours = [name for name in given if is_meant_for_us(name, variables, DESTINATION_PREFIXES)]
        yield from unknown_keys(ENV_FILE, [name for name in ours if name not in _names_in_hints()], variables)
    config_file = config.config_file or CONFIG_FILE
    if not why_unread(config_file) and config_file.is_file():
        yield from unknown_keys(config_file, read_config_file(config_file), ServerConfig.model_fields)


def _names_in_hints() -> set[str]:
    """Return the variables in the hints of destinations: settings, and what their servers call the same value."""
    hints = " ".join(destination.fix_hint for destination in (*LOCAL.values(), *PRODUCTION.values()))
    return set(re.findall(r"[A-Z]+(?:_[A-Z]+)+", hints))


def destination_of(setting: str) -> str:
    """Return the name of the destination that declares a setting, or an empty string."""
    if setting not in LogSettings.model_fields:
        for name, destination in {**LOCAL, **PRODUCTION}.items():
            if setting in destination.settings_class.model_fields:
                return name
    return ""


def is_secret(name: str) -> bool:
    """Return whether the value of a setting must never be shown."""
    return name not in ServerConfig.model_fields or _may_be(name, SecretStr)


def _may_be(name: str, kind: type) -> bool:
    """Return whether the value of a setting may have this type."""
    annotation = ServerConfig.model_fields[name].annotation
    return kind in (annotation, *getattr(annotation, "__args__", ()))


def _sentence(fault: ErrorDetails) -> str:
    name, value = str(fault["loc"][0]), fault["input"]
    text = repr(without_login(value)) if isinstance(value, str) else without_login(repr(value))
    shown = "not valid" if is_secret(name) else text
    return f"{name.upper()} is {shown}: {_reason(name, fault['msg'])}."


def _reason(name: str, message: str) -> str:
    """Return what a boolean or a bounded number must be; for any other setting, the message of the validator."""
    field = ServerConfig.model_fields[name]
    bounds = [getattr(item, "ge", getattr(item, "le", None)) for item in field.metadata]
    if field.annotation is int and bounds:
        return f"it must be a whole number between {bounds[0]} and {bounds[-1]}"
    return "it must be true or false" if field.annotation is bool else message.removeprefix("Value error, ")
