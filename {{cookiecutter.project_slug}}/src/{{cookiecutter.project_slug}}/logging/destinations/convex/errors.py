"""Turn unusable answers of Convex and exceptions of httpx into errors of the logging stack."""

from __future__ import annotations

from http import HTTPStatus

from ...errors import AccessError, DeliveryError, InvalidEntryError

STATUS_ERRORS = {400: InvalidEntryError, 413: InvalidEntryError, 401: AccessError, 403: AccessError}
"""Errors by status; any other status is temporary."""
DEPLOY_HINT = "deploy the functions in convex/ again (npx convex deploy)"
SERVER_HINT = "(check that CONVEX_ENDPOINT_URL is the .convex.site URL, and that the functions in convex/ are deployed)"
_UNKNOWN_PARAMETER = "Unknown parameter "


def translate_error(error: Exception, *, place: str, timeout: float) -> DeliveryError | None:
    """Translate an exception of a request that may take `timeout` seconds; return None for a bug."""
    import httpx  # noqa: PLC0415 - imported only if the destination is enabled

    if isinstance(error, TimeoutError):
        return DeliveryError(f"Convex at {place} did not answer within {timeout:g} s")
    if isinstance(error, httpx.HTTPError):
        return DeliveryError(f"Convex at {place} cannot be reached: {type(error).__name__} {error}".rstrip())
    return None


def status_error(status: int, reason: str, *, url: str, is_refusal: bool) -> DeliveryError:
    """Return the error for a status other than success, which passes unless `is_refusal`; `reason` is one line."""
    if status == HTTPStatus.BAD_REQUEST and reason.startswith(_UNKNOWN_PARAMETER):
        parameter = reason.removeprefix(_UNKNOWN_PARAMETER)
        return DeliveryError(f"Convex at {url} does not know the filter {parameter} yet: {DEPLOY_HINT}")
    kind = STATUS_ERRORS.get(status, DeliveryError) if is_refusal else DeliveryError
    msg = f"Convex at {url} answered {status}: {reason or 'no reason'}"
    if kind is AccessError:
        msg += " (CONVEX_API_KEY must be the deployment's LOG_INGEST_KEY)"
    elif status < HTTPStatus.BAD_REQUEST or status == HTTPStatus.NOT_FOUND:
        msg += f" {SERVER_HINT}"
    return kind(msg)


def placeholder_error(url: str) -> AccessError:
    """Return the error for a placeholder URL."""
    return AccessError(
        f"CONVEX_ENDPOINT_URL is still the placeholder {url}; set it to the URL of your deployment, "
        "which the Convex dashboard shows"
    )


def unexpected_answer(answer: str, *, expected: str, url: str) -> DeliveryError:
    """Return the error for a success that does not come from the functions in `convex/`; `answer` is one line."""
    return DeliveryError(f"Convex at {url} did not answer with {expected}, but with {answer!r} {SERVER_HINT}")
