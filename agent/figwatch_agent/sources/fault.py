"""Why a question over HTTP has no usable answer: a closed word for machines, a text for people."""

import errno
from enum import StrEnum
from typing import Final

import aiohttp

from figwatch_agent.model.batch import DOWN


class FaultReason(StrEnum):
    """The closed set."""

    TIMEOUT = "timeout"  # no whole answer in time
    REFUSED = "refused"  # nothing listens there
    STATUS = "status"  # an answer, but not 200
    TOO_LARGE = "too_large"  # more bytes than are read
    MALFORMED = "malformed"  # the page breaks its format
    ENCODING = "encoding"  # compressed in a way that is broken or was not asked for
    DOWN = DOWN  # an engine's own scrape of the target failed
    PARTIAL = "partial"  # the engine could not see everything
    FAILED = "failed"  # anything else: no such name, connection reset, answer cut off


class Fault(Exception):
    """An answer that cannot be used."""

    def __init__(self, reason: FaultReason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


_OUR_OWN: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS, errno.EADDRNOTAVAIL})
"""Errors of this machine: no file descriptors, memory, buffers or local ports left."""


def is_our_own(error: BaseException) -> bool:
    """Whether this machine, not the other side, kept the question from being asked."""
    return isinstance(error, OSError) and error.errno in _OUR_OWN


def fault_of(error: Exception) -> Fault:
    """The fault that an exception of aiohttp, of a socket or of ours stands for."""
    if isinstance(error, Fault):
        return error
    if isinstance(error, TimeoutError):
        return Fault(FaultReason.TIMEOUT, "no whole answer in time")
    if isinstance(error, OSError) and error.errno == errno.ECONNREFUSED:
        return Fault(FaultReason.REFUSED, "connection refused")
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return Fault(FaultReason.FAILED, f"no such host: {error.host}")
    if isinstance(error, aiohttp.ClientPayloadError):
        return Fault(FaultReason.FAILED, "the answer was cut off")
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return Fault(FaultReason.FAILED, "the connection was closed without an answer")
    return Fault(FaultReason.FAILED, f"{type(error).__name__}: {str(error)[:200]}")


def first_fault(error: Exception) -> Fault:
    """The fault behind an exception, or behind the first of several that came at once."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return fault_of(error)
