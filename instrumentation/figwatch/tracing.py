"""W3C trace context in and out, and a light span.

The light span is what OpenTelemetry's `get_current_span()` sees while a request is served: it carries the identity of
the request for children and logs, and keeps what the handler sets on it. What is exported is one tuple per request,
made at its end (`figwatch.span_record`).
"""

import os
import random
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from opentelemetry.trace import (
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
    get_current_span,
)

from figwatch import contract
from figwatch.notes import Notes

SAMPLED: Final = 1
_KNOWN_FLAGS: Final = 3  # sampled, and "the trace id is random"; a newer version may mean anything with the rest

TRACESTATE_LIMIT: Final = 512
"""Characters of tracestate carried on: what the recommendation asks every vendor to propagate at least."""

_IDS: Final = rb"(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
_is_later_version: Final = re.compile(rb"(?!00|ff)[0-9a-f]{2}-" + _IDS + rb"(?:-.*)?").fullmatch
"""By the recommendation: version 00 ends after the flags, later ones may go on after a dash, ff is none."""
_SHAPES: Final = bytes(0x78 if chr(byte) in "0123456789abcdef" else byte for byte in range(256))
"""Every hex digit becomes an x: one copy and one comparison check version 00, for a third of what a search costs."""
_SHAPE: Final = b"xx-" + b"x" * 32 + b"-" + b"x" * 16 + b"-xx"
_VERSION: Final = b"00-"
_ZEROS: Final = b"-000000000000000"
"""Neither id begins with so many zeros, in nearly all requests: one search tells both."""
_NO_TRACE: Final = b"0" * 32
_NO_PARENT: Final = b"0" * 16
_FLAGS: Final = {ord(f"{number:x}"): number & _KNOWN_FLAGS for number in range(16)}
"""By the last hex digit, which holds all flags that are known."""


class LightSpan(Span):
    """The span of one request: its identity, and what a handler writes on it.

    What nobody asks for is never made: hex digits, OpenTelemetry's context, notes.
    """

    # Half the price of writing to a dictionary, which OpenTelemetry's class adds all the same.
    __slots__ = ("_number", "caller", "flags", "notes", "recording", "tracestate")

    kind = SpanKind.SERVER
    ours = True
    """Whether we record this span: one that another instrumentation has begun is recorded there."""

    recording: bool
    """Whether somebody will read what is written; set by the observer."""
    notes: Notes | None
    """What was written."""
    caller: bytes
    """The caller's traceparent; for a root one with a parent of zeros, which nobody sends."""
    flags: int
    """W3C's: `SAMPLED`, and whether the trace id is random."""
    tracestate: str
    """As it came, or empty."""

    def __init__(self, caller: bytes, flags: int, tracestate: str = "", number: int = 0) -> None:
        """`number` is the span id; one of 0 is drawn when somebody asks for it."""
        self.caller = caller
        self.flags = flags
        self.tracestate = tracestate
        self.recording = False
        self.notes = None
        self._number = number

    @property
    def number(self) -> int:
        """The span id. Drawn for the first that asks: nobody does for most requests."""
        # In the dictionary, where the first of several threads wins.
        return self._number or vars(self).setdefault("number", _random_bits(64) or 1)

    @number.setter
    def number(self, number: int) -> None:
        self._number = number

    @property
    def trace_id(self) -> str:
        """32 hex digits."""
        return self.caller[3:35].decode()

    @property
    def parent_id(self) -> str:
        """16 hex digits, or empty for a root."""
        parent = self.caller[36:52]
        return "" if parent == _NO_PARENT else parent.decode()

    @property
    def span_id(self) -> str:
        """16 hex digits."""
        return f"{self.number:016x}"

    def get_span_context(self) -> SpanContext:
        """OpenTelemetry's view of this span."""
        state = TraceState.from_header([self.tracestate]) if self.tracestate else None
        return SpanContext(int(self.trace_id, 16), self.number, False, TraceFlags(self.flags), state)

    @property
    def traceparent(self) -> str:
        """What to send on, so that the callee becomes a child of this span."""
        return f"00-{self.trace_id}-{self.number:016x}-{self.flags:02x}"

    def headers(self) -> list[tuple[str, str]]:
        """The headers that make a call a child of this span."""
        return _context_headers(self.traceparent, self.tracestate)

    def is_recording(self) -> bool:
        """Whether what is written here is kept: a request that is not sampled keeps nothing."""
        return self.recording

    def write(self) -> Notes:
        """The notes of this span; of one that is not recorded, notes that nobody will read."""
        if not self.recording:
            return Notes()
        if self.notes is None:
            self.notes = Notes()
        return self.notes

    def set_attribute(self, key: str, value: Any) -> None:
        """Keep one attribute."""
        self.write().set(key, value)

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        """Keep several attributes."""
        notes = self.write()
        for key, value in attributes.items():
            notes.set(key, value)

    def add_event(self, name: str, attributes: Mapping[str, Any] | None = None, timestamp: int | None = None) -> None:
        """Keep an event; `timestamp` in nanoseconds since the epoch."""
        self.write().add_event(name, attributes, timestamp)

    def add_link(self, context: SpanContext, attributes: Mapping[str, Any] | None = None) -> None:
        """Keep a link to another span."""
        self.write().add_link(context, attributes)

    def update_name(self, name: str) -> None:
        """Replace method and route as the name."""
        self.write().name = name

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """Replace the status that follows from the answer."""
        self.write().set_status(status, description)

    def record_exception(
        self,
        exception: BaseException,
        attributes: Mapping[str, Any] | None = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        """Keep an exception as an event."""
        self.write().add_exception(exception, attributes, timestamp, escaped)

    def end(self, end_time: int | None = None) -> None:
        """The request's own end is what ends this span."""

    def __repr__(self) -> str:
        return f"LightSpan({self.traceparent!r})"


# A generator of our own: a service that seeds the shared one would hand out the same ids again and again.
_random = random.Random()  # noqa: S311 - trace ids are public and keep no secret
os.register_at_fork(after_in_child=_random.seed)  # or forked workers would repeat each other


_random_bits: Final = _random.getrandbits
_new: Final = object.__new__


def traceparent_of(trace_id: int, parent_id: int, flags: int) -> bytes:
    """A traceparent of version 00."""
    return b"00-%032x-%016x-%02x" % (trace_id, parent_id, flags)


def open_span(
    traceparent: bytes | str | None, tracestate: str | None, bits: Callable[[int], int] = _random_bits
) -> LightSpan:
    """Continue the caller's trace, or begin one: what the recommendation calls invalid is as good as nothing.

    `bits` gives that many random bits, for a trace that begins here.
    """
    span: LightSpan = _new(LightSpan)  # two thirds of the price of calling the class
    span.recording = False
    span.notes = None
    span._number = 0
    if traceparent is not None:
        caller = traceparent if isinstance(traceparent, bytes) else traceparent.encode("ascii", "replace")
        if (
            caller.startswith(_VERSION)
            and caller.translate(_SHAPES) == _SHAPE
            and (_ZEROS not in caller or (caller[3:35] != _NO_TRACE and caller[36:52] != _NO_PARENT))
        ) or _is_later_version(caller):
            span.caller = caller
            span.flags = _FLAGS[caller[54]]
            span.tracestate = tracestate if tracestate is not None and len(tracestate) <= TRACESTATE_LIMIT else ""
            return span
    span.caller = traceparent_of(bits(128) or 1, 0, SAMPLED)
    span.flags = SAMPLED
    span.tracestate = ""
    return span


def trace_id() -> str | None:
    """The trace id of the request being served (32 hex digits), whoever made the current span; None outside of one."""
    span = get_current_span()
    if isinstance(span, LightSpan):
        return span.trace_id
    context = span.get_span_context()
    return f"{context.trace_id:032x}" if context.is_valid else None


def outgoing() -> list[tuple[str, str]]:
    """The headers that make a call from here a child of the current span; empty outside of one."""
    span = get_current_span()
    if isinstance(span, LightSpan):
        return span.headers()
    context = span.get_span_context()
    if not context.is_valid:
        return []
    traceparent = f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags) & 0xFF:02x}"
    return _context_headers(traceparent, context.trace_state.to_header())


def _context_headers(traceparent: str, tracestate: str) -> list[tuple[str, str]]:
    headers = [(contract.TRACEPARENT_HEADER, traceparent)]
    if tracestate:
        headers.append((contract.TRACESTATE_HEADER, tracestate))
    return headers
