"""What destinations share about their drivers."""

from __future__ import annotations

from unittest.mock import AsyncMock, Mock

import pytest
from fake_destinations import MemoryDestination

from {{cookiecutter.project_slug}}.logging.destinations import (
    BufferedDestination,
    CompositeDestination,
    RetryWrapper,
)
from {{cookiecutter.project_slug}}.logging.destinations.driver import (
    declared,
    require_driver,
    translated_errors,
)
from {{cookiecutter.project_slug}}.logging.errors import (
    AccessError,
    DeliveryError,
    MissingDriverError,
    SettingError,
)


class DrivenDestination(MemoryDestination):
    """A destination with a driver, and with an attribute that has the same name as one of the wrappers'."""

    driver = "driver"
    driver_loggers = ("driver.pool",)
    destination = "s3://bucket"


@pytest.mark.parametrize(
    "wrapper", [BufferedDestination(DrivenDestination()), RetryWrapper(RetryWrapper(DrivenDestination()))]
)
def test_a_wrapper_has_the_driver_of_its_destination(wrapper: BufferedDestination | RetryWrapper) -> None:
    """The pipeline needs its loggers to keep the driver's lines away from the destination."""
    assert (wrapper.driver, wrapper.driver_loggers) == ("driver", ("driver.pool",))


def test_a_composite_has_the_loggers_of_all_its_parts() -> None:
    """A part without a driver adds none."""
    both = BufferedDestination(CompositeDestination([DrivenDestination(), MemoryDestination()]))
    assert both.driver_loggers == ("driver.pool",)


def test_a_mock_has_no_driver() -> None:
    """Attributes that are not of the expected type are ignored."""
    wrapper = RetryWrapper(Mock(write=AsyncMock()))
    assert (wrapper.driver, wrapper.driver_loggers) == ("", ())
    assert (declared(Mock(), "name"), declared(Mock(), "batch_size")) == ("custom", 500)


@pytest.mark.parametrize(("package", "requirement"), [("loguru", r"loguru[<>=\d.,]+"), ("no[such]", r"no\[such\]")])
def test_a_missing_driver_is_reported_with_the_install_command(package: str, requirement: str) -> None:
    """It has the version bounds of this project, and no extra of this project: an index may know another one."""
    with pytest.raises(MissingDriverError, match=f'The x destination needs .*: run pip install "{requirement}"$'):
        require_driver("no_driver", name="x", package=package)


def translate(error: Exception) -> DeliveryError | None:
    """Translate a PermissionError."""
    return AccessError("denied") if isinstance(error, PermissionError) else None


def test_an_error_of_a_driver_is_translated() -> None:
    """The original error is its cause."""
    original = PermissionError()
    with pytest.raises(AccessError, match="denied") as raised, translated_errors(translate):
        raise original
    assert raised.value.__cause__ is original


@pytest.mark.parametrize("error", [ConnectionError("lost"), SettingError("malformed")])
def test_an_error_without_a_translation_passes_unchanged(error: Exception) -> None:
    """Errors of the logging stack need no translation, either."""
    with pytest.raises(type(error)) as raised, translated_errors(translate):
        raise error
    assert raised.value is error
