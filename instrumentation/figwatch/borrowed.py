"""A server span that another instrumentation has begun around us: there is one for a request, so ours is not made."""

from typing import Any

from opentelemetry.trace import Span, SpanContext, SpanKind

from figwatch.notes import Notes
from figwatch.tracing import LightSpan, traceparent_of


def borrowed(around: Any) -> LightSpan | None:
    """What stands for the span that is current around us, if it is a server's and somebody else's."""
    if isinstance(around, LightSpan) or getattr(around, "kind", None) is not SpanKind.SERVER:
        return None
    return Borrowed(around)


class Borrowed(LightSpan):
    """Stands for another's span: the same identity, and what is written on it goes there."""

    ours = False

    def __init__(self, around: Span) -> None:
        """`around` was begun, and will be ended and exported, by somebody else."""
        context = around.get_span_context()
        state = context.trace_state.to_header()
        flags = int(context.trace_flags) & 0xFF
        super().__init__(traceparent_of(context.trace_id, 0, flags), flags, state, context.span_id)
        self.recording = True
        self._around = around

    def get_span_context(self) -> SpanContext:
        """The other's."""
        return self._around.get_span_context()

    def is_recording(self) -> bool:
        """As the other."""
        return self._around.is_recording()

    def write(self) -> Notes:
        """Notes that hand everything on."""
        return _Handed(self._around)


class _Handed(Notes):
    """Notes that go to another span at once."""

    __slots__ = ("_around",)

    def __init__(self, around: Span) -> None:
        self._around = around
        self.attributes: dict[str, Any] = {}

    def set(self, key: str, value: Any) -> None:
        self._around.set_attribute(key, value)

    def add_event(self, *told: Any) -> None:
        self._around.add_event(*told)

    def add_exception(self, *told: Any) -> None:
        self._around.record_exception(*told)

    def add_link(self, *told: Any) -> None:
        self._around.add_link(*told)

    def set_status(self, *told: Any) -> None:
        self._around.set_status(*told)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "name":
            self._around.update_name(value)
        else:
            super().__setattr__(name, value)
