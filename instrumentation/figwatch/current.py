"""What is current: the span and the request being served, side by side in OpenTelemetry's own context.

One context carries both, so that a request costs one switch, and whatever hands OpenTelemetry's context to a thread or
a task hands the request along.
"""

from contextvars import Token
from typing import Any, Final, Protocol

from opentelemetry import context as otel_context
from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Span, set_span_in_context

_REQUEST_KEY: Final = otel_context.create_key("figwatch-request")
SPAN_KEY: Final = next(iter(set_span_in_context(INVALID_SPAN, Context())))
"""Where OpenTelemetry keeps the span in its context."""


class _Variable(Protocol):
    """The part of a ContextVar that is used here."""

    def get(self) -> Context:
        """The current context."""

    def set(self, value: Context, /) -> Token[Context]:
        """Make another one current."""

    def reset(self, token: Token[Context], /) -> None:
        """Put back what was current before."""


class _Slow:
    """OpenTelemetry's functions, for a runtime context that is no ContextVar (OTEL_PYTHON_CONTEXT names one)."""

    get = staticmethod(otel_context.get_current)
    set = staticmethod(otel_context.attach)
    reset = staticmethod(otel_context.detach)


def _variable() -> _Variable:
    """The variable that OpenTelemetry keeps its context in: its own functions cost two Python calls each."""
    token = otel_context.attach(otel_context.get_current())
    otel_context.detach(token)
    var: _Variable = getattr(token, "var", _Slow())
    return var


_VARIABLE: Final = _variable()
current_context: Final = _VARIABLE.get
"""The context that is current: a mapping."""
make_current: Final = _VARIABLE.set
"""Make a context current, and return the token for `detach`."""
detach: Final = _VARIABLE.reset
"""Put back what was current before `attach`, by its token; raises ValueError in another context."""


def context_of(span: Span, request: object) -> Context:
    """A context that carries both, beside whatever else the current one carries."""
    around = current_context()
    own = {SPAN_KEY: span, _REQUEST_KEY: request}
    # A plain dict: OpenTelemetry only reads and copies what is current, and its own class, a dict that refuses to be
    # written to, costs as much as the rest of this function twice over.
    return {**around, **own} if around else own  # type: ignore[return-value]  # as said above


def current_span() -> Any:
    """The span that is current here, or None: a lookup, where OpenTelemetry's own way costs four calls."""
    return current_context().get(SPAN_KEY)


def current() -> Any:
    """What was attached as the request, or None."""
    return current_context().get(_REQUEST_KEY)
