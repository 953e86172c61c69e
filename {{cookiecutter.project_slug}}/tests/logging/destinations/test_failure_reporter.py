"""Reports about one destination on stderr."""

from __future__ import annotations

import logging

import pytest

from {{cookiecutter.project_slug}}.logging.destinations import failure_reporter
from {{cookiecutter.project_slug}}.logging.destinations.failure_reporter import FailureReporter


@pytest.fixture
def reporter(caplog: pytest.LogCaptureFixture) -> FailureReporter:
    """Return the reporter of a destination named `memory`."""
    caplog.set_level(logging.INFO)
    return FailureReporter("memory")


def test_a_failure_is_reported_with_its_consequence(
    reporter: FailureReporter, caplog: pytest.LogCaptureFixture
) -> None:
    """The line names the destination and the number of dropped entries."""
    reporter.report(ConnectionError("no broker"), "2 entries wait", dropped=7)
    assert caplog.messages == ["memory: no broker (2 entries wait, 7 dropped so far)"]
    assert caplog.records[0].levelname == "ERROR"


def test_repeated_failures_are_reported_once_per_interval(
    reporter: FailureReporter, caplog: pytest.LogCaptureFixture
) -> None:
    """The last error is remembered, whether it was reported or not."""
    reporter.report(ConnectionError("first"), "1 entries wait", dropped=0)
    reporter.report(TimeoutError(), "2 entries wait", dropped=0)
    assert len(caplog.messages) == 1
    assert reporter.last_error == "TimeoutError"


def test_a_failure_after_the_interval_is_reported_again(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The interval is the same for all kinds of failures."""
    monkeypatch.setattr(failure_reporter, "REPORT_INTERVAL", 0.0)
    reporter = FailureReporter("memory")
    reporter.report(ConnectionError("first"), "1 entries wait", dropped=0)
    reporter.down(ConnectionError("second"), "2 entries wait", dropped=0)
    assert [message.partition(" (")[0] for message in caplog.messages] == ["memory: first", "memory: second"]


def test_a_recovery_is_reported_after_a_reported_outage(
    reporter: FailureReporter, caplog: pytest.LogCaptureFixture
) -> None:
    """The line shows the duration of the outage; a second success is not reported."""
    reporter.down(ConnectionError("lost"), "1 entries wait", dropped=0)
    reporter.recovered()
    reporter.recovered()
    assert caplog.messages[1:] == ["memory: delivering again after 0 s"]


def test_a_recovery_from_an_unreported_outage_is_not_reported(
    reporter: FailureReporter, caplog: pytest.LogCaptureFixture
) -> None:
    """Without an outage there is no recovery either."""
    reporter.recovered()
    reporter.report(ConnectionError("before"), "1 entries lost", dropped=0)
    reporter.down(ConnectionError("within the interval"), "1 entries wait", dropped=0)
    reporter.recovered()
    assert len(caplog.messages) == 1


def test_an_overflow_names_the_capacity(reporter: FailureReporter, caplog: pytest.LogCaptureFixture) -> None:
    """It is reported independently of failures."""
    reporter.report(ConnectionError("lost"), "1 entries wait", dropped=0)
    reporter.overflow(100, dropped=3)
    assert caplog.messages[1:] == ["memory: its buffer of 100 entries is full (3 dropped so far)"]
