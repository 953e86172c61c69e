"""What the exceptions of asyncpg mean for delivery."""

from __future__ import annotations

import os
import re
from ssl import CertificateError

from ...errors import MAX_REASON, AccessError, DeliveryError, InvalidEntryError, describe_error
from ..tls_variables import unusable_tls_variable

_INVALID = "PostgreSQL cannot store a value"
_ERROR_NUMBER = re.compile(r"\[Errno (\d+)\]")


class MissingTableError(DeliveryError):
    """The table or its schema does not exist."""


class AlreadyExistsError(DeliveryError):
    """The row, table or schema already exists."""


def translate(error: Exception, *, server: str) -> DeliveryError | None:
    """Translate an exception of the driver or the network; `server` starts the sentence."""
    if "rejected SSL upgrade" in str(error):
        return AccessError(f"{server} does not offer TLS; on a trusted network, add ?sslmode=disable to POSTGRES_DSN")
    for raised, translation, sentence in _meanings():
        if isinstance(error, raised):
            return translation(f"{sentence.format(server=server)}: {_reason(error)}")
    if isinstance(error, FileNotFoundError | PermissionError) and (problem := unusable_tls_variable()):
        return DeliveryError(f"could not connect to {server}: {problem}")
    if isinstance(error, OSError):
        reason = _network_reason(error)
        return DeliveryError(f"could not connect to {server}, {reason}; is it running, is POSTGRES_DSN right?")
    return None


def may_be_fault_of_session(error: Exception) -> bool:
    """Return whether a statement may succeed in a new session: any error except one that its values cause."""
    translation = translate(error, server="")
    return translation is not None and not isinstance(translation, InvalidEntryError | AlreadyExistsError)


def invalid_value(error: Exception) -> InvalidEntryError:
    """Translate an exception raised while a row is encoded."""
    return InvalidEntryError(f"{_INVALID}: {_reason(error)}")


def _meanings() -> tuple[tuple[type[Exception], type[DeliveryError], str], ...]:
    """Return the table of exceptions; the first match counts."""
    import asyncpg  # noqa: PLC0415 - a driver is imported by the destination that is switched on

    return (
        (CertificateError, AccessError, "{server} has an untrusted certificate, check POSTGRES_SSL_ROOT_CERT"),
        (asyncpg.ClientConfigurationError, AccessError, "POSTGRES_DSN is invalid"),
        (asyncpg.InvalidAuthorizationSpecificationError, AccessError, "{server} rejects the login of POSTGRES_DSN"),
        (asyncpg.InsufficientPrivilegeError, AccessError, "{server} denies a permission to the role of POSTGRES_DSN"),
        (asyncpg.UndefinedTableError, MissingTableError, "{server}"),
        (asyncpg.InvalidSchemaNameError, MissingTableError, "{server}"),
        (asyncpg.UniqueViolationError, AlreadyExistsError, "{server}"),
        (asyncpg.DuplicateTableError, AlreadyExistsError, "{server}"),
        (asyncpg.DuplicateSchemaError, AlreadyExistsError, "{server}"),
        (asyncpg.DataError, InvalidEntryError, _INVALID),
        (asyncpg.IntegrityConstraintViolationError, InvalidEntryError, _INVALID),
        (asyncpg.ProgramLimitExceededError, InvalidEntryError, _INVALID),
        (asyncpg.ReadOnlySQLTransactionError, DeliveryError, "{server} is a standby or read-only for this role"),
        (asyncpg.TargetServerAttributeNotMatched, DeliveryError, "{server} has no host for target_session_attrs"),
        (asyncpg.InternalClientError, DeliveryError, "{server} ended the connection"),
        (asyncpg.InterfaceError, DeliveryError, "{server}"),
        (asyncpg.PostgresError, DeliveryError, "{server}"),
    )


def _reason(error: Exception) -> str:
    """Return the first line of an exception's text, without details and hints."""
    if isinstance(error, CertificateError):  # if the system's CAs are trusted, a variable names their file
        return "; ".join(filter(None, (error.verify_message, unusable_tls_variable())))
    return describe_error(error).partition("\n")[0][:MAX_REASON]


def _network_reason(error: OSError) -> str:
    """Return the system's words for a network error; the driver's text repeats each address that was tried."""
    numbers = dict.fromkeys(map(int, _ERROR_NUMBER.findall(str(error))))
    words = [os.strerror(number).lower() for number in numbers]
    return ", ".join(words) or error.strerror or (_reason(error) if str(error) else "no answer")
