"""What went wrong in MLflow, in our words.

MLflow wraps most failures in one type, sometimes several times and with a
misleading text, so what caused them is looked at first.
"""

from __future__ import annotations

from collections.abc import Iterator

from llmops.core.errors import (
    AuthenticationFailed,
    BadResponse,
    LlmopsError,
    NotFound,
    ProviderUnavailable,
    RateLimited,
    RequestRejected,
    ServerFault,
    UsageError,
)
from llmops.registry.address import Address

_LONGEST = 300
_CREDENTIALS = "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
_OLD = "Detected out-of-date database schema"


def translated(error: Exception, address: Address) -> LlmopsError | None:
    """`error` as it concerns the registry at `address`; `None` if it is a defect of ours."""
    import sqlalchemy.exc
    from google.protobuf import json_format
    from mlflow.exceptions import MlflowException
    from pydantic import ValidationError
    from requests import exceptions as http

    place = f"the registry {address.shown}"
    told = _short(error, address)
    for cause in _causes(error):
        match cause:
            case http.RetryError():
                return ServerFault(f"{place} failed on its own side, several times: {told}")
            case http.SSLError():
                return ProviderUnavailable(
                    f"{place} has a certificate that is not trusted here: {told}",
                    hint="MLFLOW_TRACKING_SERVER_CERT_PATH names the authority's certificate",
                )
            case http.Timeout() | http.ConnectionError() if "timed out" in str(cause):
                return ProviderUnavailable(f"{place} did not answer in time")
            case http.ConnectionError() | http.ChunkedEncodingError():
                return ProviderUnavailable(
                    f"{place} cannot be reached", hint="is the server up, and the address right?"
                )
            case sqlalchemy.exc.IntegrityError():
                continue  # a name that is taken, which MLflow tells better
            case sqlalchemy.exc.DBAPIError():
                return _database(cause, address)
            case ImportError():
                return LlmopsError(
                    f"{place} needs a database driver: {told}",
                    hint=f"pip install {getattr(cause, 'name', None) or 'the driver'}",
                )
    match error:
        case MlflowException():
            return _coded(error.error_code, place, told)
        case ValidationError() | OSError():
            return UsageError(f"{place}: {told}")
        case sqlalchemy.exc.SQLAlchemyError() | json_format.Error() | ValueError() | TypeError():
            return BadResponse(f"{place} is not understood: {told}")
    return None


def _coded(code: str, place: str, told: str) -> LlmopsError:
    """By MLflow's own error code."""
    if _OLD in told:
        return UsageError(
            f"{place} was made by another version of MLflow",
            hint="make a copy of the database, then `mlflow db upgrade` brings it up to date",
        )
    if "the name is already taken" in told:
        return UsageError(f"{place} has a model of that name, and no prompt can share it")
    match code:
        case "RESOURCE_DOES_NOT_EXIST":
            return NotFound(f"{place} does not have that: {told}")
        case "UNAUTHENTICATED" | "CUSTOMER_UNAUTHORIZED":
            return AuthenticationFailed(f"{place} wants to know who asks", hint=_CREDENTIALS)
        case "PERMISSION_DENIED":
            return AuthenticationFailed(f"{place} does not allow this: {told}", hint=_CREDENTIALS)
        case "REQUEST_LIMIT_EXCEEDED" | "RESOURCE_EXHAUSTED":
            return RateLimited(f"{place} asks to slow down")
        case "TEMPORARILY_UNAVAILABLE" | "DEADLINE_EXCEEDED":
            return ProviderUnavailable(f"{place} is not available: {told}")
        case "INVALID_PARAMETER_VALUE" | "BAD_REQUEST" | "RESOURCE_ALREADY_EXISTS":
            return RequestRejected(f"{place} refuses this: {told}")
    return BadResponse(
        f"{place} does not answer as MLflow does: {told}",
        hint="is it the address of MLflow itself?",
    )


def _database(cause: Exception, address: Address) -> LlmopsError:
    told = _short(getattr(cause, "orig", None) or cause, address)
    if address.file is None:
        return ProviderUnavailable(f"the database of the registry {address.shown}: {told}")
    if "locked" in told:
        return ProviderUnavailable(f"the registry {address.shown} is in use", hint="try again")
    return UsageError(f"the registry {address.shown} cannot be used: {told}")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from, the innermost first."""
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in chain:
        chain.append(current)
        current = current.__cause__ or current.__context__
    return reversed(chain)


def _short(error: BaseException, address: Address) -> str:
    """What it says, in one line of bounded length and without a password."""
    text = " ".join(address.scrub(str(error)).split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
