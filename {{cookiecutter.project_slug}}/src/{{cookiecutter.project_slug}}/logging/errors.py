"""Everything the logging stack raises on purpose.

LoggingError
├── SettingError          a setting is missing or malformed
│   └── MissingDriverError    the destination's driver is not installed
└── DeliveryError         a destination did not take what it was given
    ├── RefusedError          it refuses us: asking again cannot help
    ├── RejectedError         it refuses the content: a part of the batch may still pass
    └── PartialDeliveryError  it took some entries and not others
Any other exception from a destination counts as passing trouble and is tried again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .destinations.base import LogEntry

MAX_REASON = 300
"""Characters kept of what a destination gives as its reason."""


class LoggingError(Exception):
    """Something the logging stack says in one sentence."""


class SettingError(LoggingError):
    """A setting is missing or malformed; the text names it, its value and what is valid."""


class MissingDriverError(SettingError):
    """A destination's driver is not installed; the text holds the install command."""


class DeliveryError(LoggingError):
    """A destination did not take what it was given."""


class RefusedError(DeliveryError):
    """The destination refuses us (credentials, permissions): the batch is given up at once."""


class RejectedError(DeliveryError):
    """The destination refuses the content: halves of the batch are tried apart."""


class PartialDeliveryError(DeliveryError):
    """The destination took some of a batch's entries.

    `again` are worth another attempt (busy, rate-limited); `rejected` never will be taken.
    """

    def __init__(self, message: str, *, again: Sequence[LogEntry], rejected: Sequence[LogEntry]) -> None:
        super().__init__(message)
        self.again = list(again)
        self.rejected = list(rejected)


def text_of(error: BaseException) -> str:
    """Return what an exception says, or its class where it has no text or cannot say."""
    try:
        return str(error) or type(error).__name__
    except Exception:  # noqa: BLE001 - __str__ is other people's code
        return type(error).__name__
