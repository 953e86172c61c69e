"""Each exception of the driver becomes one error of ours, with one sentence."""

from __future__ import annotations

import errno
import os
import socket
from typing import TYPE_CHECKING

import asyncpg
import pytest

from {{cookiecutter.project_slug}}.logging.destinations.postgres.errors import (
    AlreadyExistsError,
    MissingTableError,
    may_be_fault_of_session,
    translate,
)
from {{cookiecutter.project_slug}}.logging.errors import AccessError, DeliveryError, InvalidEntryError

if TYPE_CHECKING:
    from collections.abc import Callable

SESSION_FAULTS = ("0A000", "25006", "25P02", "25P03", "25P04", "26000", "57P01", "57P02", "57P03", "57P04", "57P05")
"""Codes of errors that end a session, or that a new one does not have."""


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (asyncpg.InsufficientPrivilegeError, AccessError),
        (asyncpg.InvalidAuthorizationSpecificationError, AccessError),
        (asyncpg.InvalidPasswordError, AccessError),
        (asyncpg.ClientConfigurationError, AccessError),
        (asyncpg.UndefinedTableError, MissingTableError),
        (asyncpg.UniqueViolationError, AlreadyExistsError),
        (asyncpg.NotNullViolationError, InvalidEntryError),
        (asyncpg.NumericValueOutOfRangeError, InvalidEntryError),
        (asyncpg.ProgramLimitExceededError, InvalidEntryError),
        (asyncpg.AdminShutdownError, DeliveryError),
        (asyncpg.CannotConnectNowError, DeliveryError),
        (asyncpg.ConnectionDoesNotExistError, DeliveryError),
        (asyncpg.DeadlockDetectedError, DeliveryError),
        (asyncpg.DiskFullError, DeliveryError),
        (asyncpg.InterfaceError, DeliveryError),
        (asyncpg.InternalClientError, DeliveryError),
        (asyncpg.ReadOnlySQLTransactionError, DeliveryError),
        (asyncpg.TooManyConnectionsError, DeliveryError),
        (asyncpg.TargetServerAttributeNotMatched, DeliveryError),
        *((asyncpg.PostgresError.get_message_class_for_sqlstate(code), DeliveryError) for code in SESSION_FAULTS),
    ],
)
def test_an_exception_is_translated_to_one_sentence(
    raised: Callable[[str], Exception], expected: type[DeliveryError]
) -> None:
    """The sentence starts with the server or the setting and ends with the reason."""
    translation = translate(raised("the reason"), server="PostgreSQL at db:1")
    assert type(translation) is expected
    assert str(translation).startswith(("PostgreSQL ", "POSTGRES_DSN "))
    assert str(translation).endswith(": the reason")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        *((asyncpg.PostgresError.get_message_class_for_sqlstate(code)(code), True) for code in SESSION_FAULTS),
        (asyncpg.InterfaceError("connection is closed"), True),
        (asyncpg.InsufficientPrivilegeError("after SET ROLE"), True),
        (asyncpg.UndefinedTableError("after SET search_path"), True),
        (ConnectionResetError(), True),
        (asyncpg.NumericValueOutOfRangeError("value"), False),
        (asyncpg.NotNullViolationError("value"), False),
        (asyncpg.UniqueViolationError("stored already"), False),
        (ValueError("encoding"), False),
    ],
)
def test_only_an_error_caused_by_values_keeps_the_session(error: Exception, expected: bool) -> None:
    """Any other error may be the session's."""
    assert may_be_fault_of_session(error) == expected


def test_other_exceptions_are_not_translated() -> None:
    """A bug of ours keeps its own type."""
    assert translate(KeyError("bug"), server="PostgreSQL") is None


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(errno.ECONNREFUSED, "Connect call failed ('127.0.0.1', 1)"), "connection refused"),
        (
            OSError(
                "Multiple exceptions: [Errno 111] Connect call failed ('::1', 1, 0, 0), [Errno 111] Connect call ..."
            ),
            os.strerror(111).lower(),
        ),
        (FileNotFoundError(errno.ENOENT, "No such file or directory"), "no such file or directory"),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "Name or service not known"),
        (ConnectionError("unexpected connection_lost() call"), "unexpected connection_lost() call"),
        (TimeoutError(), "no answer"),
    ],
)
def test_a_network_error_asks_whether_the_server_runs(error: OSError, reason: str) -> None:
    """The sentence has the address once and the reason in the system's words."""
    sentence = f"could not connect to PostgreSQL at db:1, {reason}; is it running, is POSTGRES_DSN right?"
    translation = translate(error, server="PostgreSQL at db:1")
    assert type(translation) is DeliveryError
    assert str(translation) == sentence
