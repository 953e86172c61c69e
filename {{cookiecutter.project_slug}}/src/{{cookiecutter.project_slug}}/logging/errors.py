"""The exceptions of the logging stack. Any other exception of a destination is temporary, and its batch is retried."""

from __future__ import annotations

from collections.abc import Sequence

from .entry import LogEntry

MAX_REASON = 300  # characters kept of the reason a destination gives


class LoggingError(Exception):
    """An error of the logging stack; its text is one sentence."""


class SettingError(LoggingError):
    """A setting is missing or malformed; the text names the setting, its value and what is valid."""


class PathError(SettingError):
    """A path leads nowhere for this user; the server starts without the destination that needs it."""


class MissingDriverError(SettingError):
    """The driver of a destination is not installed; the text contains the install command."""


class DeliveryError(LoggingError):
    """A destination did not accept a batch; it is retried."""


class AccessError(DeliveryError):
    """The destination rejects our credentials or permissions; the batch is not retried."""


class InvalidEntryError(DeliveryError):
    """The destination rejects the content; the batch is halved to isolate the invalid entry."""


class PartialDeliveryError(DeliveryError):
    """The destination accepted only some entries: retry `retryable`, drop `invalid`."""

    def __init__(self, message: str, *, retryable: Sequence[LogEntry], invalid: Sequence[LogEntry]) -> None:
        super().__init__(message)
        self.retryable = list(retryable)
        self.invalid = list(invalid)


def describe_error(error: BaseException) -> str:
    """Return the text of an exception, or the name of its class if it has no readable text."""
    try:
        return str(error) or type(error).__name__
    except Exception:  # noqa: BLE001 - __str__ is foreign code
        return type(error).__name__
