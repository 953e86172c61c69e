"""Build destinations from settings, each with retries behind its own buffer."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import pytest
from fake_destinations import JSON_LINES, MemoryDestination

from {{cookiecutter.project_slug}}.config import ServerConfig
from {{cookiecutter.project_slug}}.logging import factory
from {{cookiecutter.project_slug}}.logging.destinations import (
    LOCAL,
    BufferedDestination,
    CompositeDestination,
    RetryWrapper,
)
from {{cookiecutter.project_slug}}.logging.errors import SettingError
from {{cookiecutter.project_slug}}.logging.factory import (
    buffers_of,
    create_log_destination,
    production_names,
)
from {{cookiecutter.project_slug}}.logging.settings import LogSettings
from {{cookiecutter.project_slug}}.logging.unified_logger import UnifiedLogger

OWN_ONLY = {"enable_local_logging": False, "enable_production_logging": True}
SETTINGS = LogSettings(log_retry_attempts=7, log_retry_delay_ms=9, log_write_timeout_ms=11, log_buffer_size=13)


class HomelessDestination(MemoryDestination):
    """A destination with a file in a home folder that does not exist."""

    @classmethod
    def from_config(cls, _: object) -> Self:
        """Look for the home folder."""
        Path("~no-such-user").expanduser()
        return cls()


def assert_wrapped(buffer: BufferedDestination, destination: object) -> None:
    """Check that a buffer with the configured size holds a retry wrapper with the configured numbers."""
    wrapper = buffer.destination
    assert isinstance(wrapper, RetryWrapper)
    assert wrapper.destination is destination
    assert (wrapper.max_attempts, wrapper.retry_delay, wrapper.write_timeout) == (7, 0.009, 0.011)
    assert buffer.capacity == 13


def test_any_destination_gets_retries_and_a_buffer() -> None:
    """Attempts, delay, timeout and size of the buffer are those of the settings."""
    memory = MemoryDestination()
    (buffer,) = buffers_of(memory, SETTINGS)
    assert_wrapped(buffer, memory)


def test_every_part_of_a_composite_gets_its_own_buffer() -> None:
    """Nested composites are flattened, in order."""
    first, second, third = MemoryDestination(), MemoryDestination(), MemoryDestination()
    buffers = buffers_of(CompositeDestination([first, CompositeDestination([second, third])]), SETTINGS)
    assert len(buffers) == 3
    for buffer, destination in zip(buffers, (first, second, third), strict=True):
        assert_wrapped(buffer, destination)


def test_a_wrapper_is_not_wrapped_again() -> None:
    """A buffer stays as it is; a retry wrapper keeps its numbers and gets a buffer."""
    buffer = BufferedDestination(MemoryDestination())
    assert buffers_of(buffer, SETTINGS) == [buffer]
    wrapper = RetryWrapper(MemoryDestination(), max_attempts=5)
    (buffer,) = buffers_of(wrapper, SETTINGS)
    assert buffer.destination is wrapper
    assert wrapper.max_attempts == 5


def test_initialize_wraps_a_destination_like_the_factory() -> None:
    """A script that passes a plain destination has retries and a buffer, too."""
    memory = MemoryDestination()
    UnifiedLogger.initialize(memory, settings=SETTINGS)
    assert_wrapped(UnifiedLogger._pipeline.buffers[0], memory)


def test_the_factory_builds_each_enabled_destination_once() -> None:
    """All have retries and a buffer; nothing is written before the first entry."""
    config = ServerConfig(
        **SETTINGS.model_dump(include={*SETTINGS.model_fields_set}),
        enable_production_logging=True,
        log_destination_type=",".join([JSON_LINES, *LOCAL, JSON_LINES]),
    )
    buffers = create_log_destination(config).destinations
    assert [buffer.name for buffer in buffers] == [*LOCAL, "jsonl"]
    for buffer in buffers:
        assert_wrapped(buffer, buffer.destination.destination)
    assert not list(Path.cwd().iterdir())


def test_without_enabled_destinations_entries_go_nowhere() -> None:
    """The result is a destination without parts."""
    assert create_log_destination(ServerConfig(enable_local_logging=False)).destinations == ()


UNUSABLE = {
    "unknown name": ("pigeon", "LOG_DESTINATION_TYPE is 'pigeon'; valid are:"),
    "unknown module": (
        "nowhere.module:Class",
        "LOG_DESTINATION_TYPE is 'nowhere.module:Class', which cannot be loaded: ModuleNot",
    ),
    "unknown class": (
        "fake_destinations:Missing",
        "LOG_DESTINATION_TYPE is 'fake_destinations:Missing', which cannot be loaded: AttributeError",
    ),
    "another class": (
        "io:StringIO",
        "LOG_DESTINATION_TYPE is 'io:StringIO', which makes a StringIO, not a LogDestination",
    ),
}


@pytest.mark.parametrize(("name", "message"), UNUSABLE.values(), ids=UNUSABLE)
def test_a_destination_that_cannot_be_built_is_left_out(
    name: str, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It is reported in one sentence, and the others are built; if there is no other, the sentence is raised."""
    with pytest.raises(SettingError) as raised:
        create_log_destination(ServerConfig(**OWN_ONLY, log_destination_type=name))
    assert str(raised.value).startswith(message)
    assert "\n" not in str(raised.value)
    stack = create_log_destination(ServerConfig(**OWN_ONLY, log_destination_type=f"{name}, {JSON_LINES},"))
    assert [buffer.name for buffer in stack.destinations] == ["jsonl"]
    assert message in caplog.text


def test_a_destination_without_a_place_on_this_machine_is_left_out(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is reported once, and nothing is raised: whether a place exists does not decide whether tools run."""
    monkeypatch.setitem(LOCAL, "homeless", HomelessDestination)
    for names, built in (("homeless", []), (f"homeless,{JSON_LINES}", ["jsonl"])):
        caplog.clear()
        stack = create_log_destination(ServerConfig(**OWN_ONLY, log_destination_type=names))
        assert [buffer.name for buffer in stack.destinations] == built
        (message,) = caplog.messages
        assert message.startswith("homeless gets no entries: A file of the homeless destination cannot be found: ")


def test_without_a_name_the_only_production_destination_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """The type may be left empty."""
    monkeypatch.setattr(factory, "PRODUCTION", {"homeless": HomelessDestination})
    config = ServerConfig(**OWN_ONLY, log_destination_type="")
    assert production_names(config) == ["homeless"]


@pytest.mark.parametrize("production", [{}, {"one": MemoryDestination, "two": MemoryDestination}])
def test_without_a_name_and_a_single_destination_the_valid_names_are_reported(
    production: dict[str, type[MemoryDestination]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The project may have no production destination, or several."""
    monkeypatch.setattr(factory, "PRODUCTION", production)
    with pytest.raises(SettingError, match=r"^LOG_DESTINATION_TYPE is ''; valid are:"):
        create_log_destination(ServerConfig(**OWN_ONLY, log_destination_type=""))
