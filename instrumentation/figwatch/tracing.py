"""W3C trace context in and out, a light span, and the bounded queue it ends in.

The light span is what OpenTelemetry's `get_current_span()` sees while a request is served: it carries the identity of
the request for children and logs, and records nothing itself. What is exported is one tuple per request, made at its
end.
"""

import os
import random
import re
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, TraceState, get_current_span

from figwatch import contract

SAMPLED: Final = 1
_KNOWN_FLAGS: Final = 3  # sampled, and "the trace id is random"; a newer version may mean anything with the rest
QUEUE_LENGTH: Final = 2048
"""Spans that may wait for the exporter: OpenTelemetry's default for its batch processor."""

TRACESTATE_LIMIT: Final = 512
"""Characters of tracestate carried on: what the recommendation asks every vendor to propagate at least."""

_TRACEPARENT: Final = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?").fullmatch
_NO_TRACE: Final = "0" * 32
_NO_SPAN: Final = "0" * 16


def parse_traceparent(value: str) -> tuple[str, str, int] | None:
    """Trace id, span id (hex) and flags of the caller, or None for what the recommendation tells us to ignore.

    Version 00 must end after the flags; later versions may go on after a dash; version ff and all-zero ids are invalid.
    """
    match = _TRACEPARENT(value)
    if match is None:
        return None
    version, trace_id, span_id, flags, more = match.groups()
    if version == "ff" or (version == "00" and more is not None) or trace_id == _NO_TRACE or span_id == _NO_SPAN:
        return None
    return trace_id, span_id, int(flags, 16)


class LightSpan(NonRecordingSpan):
    """The span of one request: identity only. Its OpenTelemetry context is built when somebody asks for it."""

    def __init__(self, trace_id: str, span_id: str, flags: int, tracestate: str, parent_id: str) -> None:
        """Ids are lower-case hex; `parent_id` is empty for a root."""
        # Not calling the base: it only stores the context, which is made lazily here.
        self.trace_id = trace_id
        self.span_id = span_id
        self.flags = flags
        self.tracestate = tracestate
        self.parent_id = parent_id

    def get_span_context(self) -> SpanContext:
        """OpenTelemetry's view of this span."""
        state = TraceState.from_header([self.tracestate]) if self.tracestate else None
        return SpanContext(int(self.trace_id, 16), int(self.span_id, 16), False, TraceFlags(self.flags), state)

    @property
    def traceparent(self) -> str:
        """What to send on, so that the callee becomes a child of this span."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags:02x}"

    def headers(self) -> list[tuple[str, str]]:
        """The headers that make a call a child of this span."""
        return _context_headers(self.traceparent, self.tracestate)

    def __repr__(self) -> str:
        return f"LightSpan({self.traceparent!r})"


# A generator of our own: a service that seeds the shared one would hand out the same ids again and again.
_random = random.Random()  # noqa: S311 - trace ids are public and keep no secret
os.register_at_fork(after_in_child=_random.seed)  # or forked workers would repeat each other


def open_span(traceparent: str | None, tracestate: str | None, bits: Callable[[int], int] | None = None) -> LightSpan:
    """Continue the caller's trace, or begin one. `bits` gives that many random bits."""
    draw = bits if bits is not None else _random.getrandbits
    span_id = f"{draw(64) or 1:016x}"
    parent = parse_traceparent(traceparent) if traceparent is not None else None
    if parent is None:
        return LightSpan(f"{draw(128) or 1:032x}", span_id, SAMPLED, "", "")
    trace_id, parent_id, flags = parent
    state = tracestate if tracestate is not None and len(tracestate) <= TRACESTATE_LIMIT else ""
    return LightSpan(trace_id, span_id, flags & _KNOWN_FLAGS, state, parent_id)


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


class SpanRecord(NamedTuple):
    """One finished request, as it waits for the exporter. Times are integer nanoseconds since the epoch."""

    trace_id: str
    span_id: str
    parent_id: str
    tracestate: str
    start: int
    end: int
    method: str
    route: str
    path: str
    status: str
    error_type: str
    served_by: str
    vantage: str
    service: str


class SpanQueue:
    """Where finished spans wait. Full means the newest is dropped and counted, never that a request waits."""

    def __init__(self, dropped: Callable[[], None], length: int = QUEUE_LENGTH) -> None:
        """`dropped` is called once for each span that found no room."""
        self._waiting: deque[SpanRecord] = deque()
        self._length = length
        self._dropped = dropped

    def put(self, record: SpanRecord) -> None:
        """Append, or drop and count."""
        if len(self._waiting) >= self._length:
            self._dropped()
        else:
            self._waiting.append(record)

    def take(self, at_most: int) -> list[SpanRecord]:
        """Remove and return the oldest."""
        taken: list[SpanRecord] = []
        while len(taken) < at_most:
            try:
                taken.append(self._waiting.popleft())
            except IndexError:
                break
        return taken

    def __len__(self) -> int:
        return len(self._waiting)
