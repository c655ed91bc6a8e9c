"""What an answer, or the lack of one, says about a delivery."""

import asyncio
from dataclasses import dataclass, field

import aiohttp

from figwatch_agent.durations import Duration
from figwatch_agent.model.journal import DeliveryResult, DeliveryResultKind
from figwatch_agent.notify.reasons import DeliveryReason

_RETRY = DeliveryResultKind.RETRY
_REFUSED = DeliveryResultKind.REFUSED
_UNCONFIRMED = DeliveryResultKind.UNCONFIRMED


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back, whatever it means."""

    status: int
    retry_after: Duration | None
    detail: str  # of an answer that is no success, for people, without secrets
    body: bytes = field(default=b"", repr=False)  # of a success, where it was asked for


def of_status(status: int, retry_after: Duration | None, detail: str) -> DeliveryResult:
    """The result for an HTTP status; ``retry_after`` is kept only where it means something."""
    if 200 <= status < 300:
        return DeliveryResult(kind=DeliveryResultKind.ACCEPTED)
    if status == 429:
        return _result(_RETRY, DeliveryReason.RATE_LIMITED, detail, retry_after)
    # 408 and 425 are the two other client errors that ask for another try (RFC 9110, RFC 8470).
    if status >= 500 or status in (408, 425):
        return _result(_RETRY, DeliveryReason.SERVER_ERROR, detail, retry_after)
    if 300 <= status < 400:
        return _result(_REFUSED, DeliveryReason.REDIRECTED, detail)
    return _result(_REFUSED, DeliveryReason.REJECTED, detail)


def of_error(error: Exception) -> DeliveryResult:
    """The result for a request that ended without an answer. Whatever is not certainly unsent may have arrived.

    The text of the error is left out: aiohttp writes URLs into it, and URLs of webhooks are secrets.
    """
    kind, reason = _judge(error)
    return _result(kind, reason, type(error).__name__)


def _judge(error: Exception) -> tuple[DeliveryResultKind, DeliveryReason]:
    if isinstance(error, (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError)):
        return _REFUSED, DeliveryReason.MISCONFIGURED
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return _RETRY, DeliveryReason.NAME_NOT_FOUND
    if isinstance(error, (aiohttp.ClientSSLError, aiohttp.ServerFingerprintMismatch)):
        return _RETRY, DeliveryReason.TLS_FAILED
    if isinstance(error, aiohttp.ClientConnectorError):
        return _RETRY, DeliveryReason.CONNECTION_FAILED
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return _RETRY, DeliveryReason.CONNECT_TIMEOUT
    if isinstance(error, (TimeoutError, asyncio.TimeoutError)):
        return _UNCONFIRMED, DeliveryReason.NO_ANSWER
    return _UNCONFIRMED, DeliveryReason.CONNECTION_LOST


def _result(
    kind: DeliveryResultKind, reason: DeliveryReason, detail: str, retry_after: Duration | None = None
) -> DeliveryResult:
    return DeliveryResult(kind=kind, reason=reason.value, detail=detail, retry_after=retry_after)


def unreadable(detail: str) -> DeliveryResult:
    """The result where the secret needed for sending could not be read."""
    return _result(_REFUSED, DeliveryReason.SECRET_UNREADABLE, detail)
