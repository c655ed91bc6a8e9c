"""Observe one request: start, first byte, finish or abort, and exactly once into the cells.

Nothing here raises at request time: every fault is counted and swallowed where it would otherwise reach the request.
"""

from collections.abc import Callable
from contextvars import Token
from functools import partial
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar, cast, overload

from opentelemetry import trace as otel_trace
from opentelemetry.context import Context

from figwatch import contract
from figwatch.borrowed import borrowed
from figwatch.capture import NOTHING, Capture
from figwatch.current import SPAN_KEY, context_of, current, current_context, detach, make_current
from figwatch.errors import DefinitionError
from figwatch.migration import SideRule
from figwatch.routes import Routes
from figwatch.telemetry import RequestCell, Telemetry
from figwatch.tracing import SAMPLED, LightSpan, open_span

SERVER_ERROR: Final = 500
EXEMPLAR_SECONDS: Final = 1.0
"""How long a bucket names the same request, where spans are not drained anyway."""

Carrier = TypeVar("Carrier")
"""What an adapter knows a request by: a scope, an environ, an aiohttp request."""

Seen = TypeVar("Seen", bound="Observation[Any]")
"""An adapter's own kind of observation."""

Entered = Token[Context]
"""What `enter` hands to `leave`."""


class _NoProvider:
    """In place of OpenTelemetry's module, should it keep its provider elsewhere one day."""

    _TRACER_PROVIDER = None


_otel: Final[Any] = otel_trace if hasattr(otel_trace, "_TRACER_PROVIDER") else _NoProvider
"""Asked for each request whether the application has set a provider by now: an attribute costs less than a function."""

_new: Final = object.__new__
"""Makes an object for two thirds of the price of calling its class."""

_SDK: Final = "opentelemetry.sdk."
"""Where providers live whose sampler and processors can be found."""


class Reader(Protocol):
    """Reads what a family keeps of a request. Only what is asked for is read, most of it at the end."""

    def template_of(self, carrier: Any, /) -> str | None:
        """The framework's route template; None where no route was chosen."""

    def path_of(self, carrier: Any, /) -> str:
        """The decoded path, mount point included."""

    def query_of(self, carrier: Any, /) -> str:
        """The query string as it was sent."""

    def header_of(self, carrier: Any, name: str, /) -> str | None:
        """A header by its lower-case name; repeated ones joined with a comma."""

    def peer_of(self, carrier: Any, /) -> str | None:
        """The address at the other end of the connection, as the server tells it."""


class CurrentRequest(NamedTuple):
    """The request being served, for handlers."""

    trace_id: str  # 32 hex digits
    span_id: str  # 16 hex digits
    served_by: str  # one of contract.SIDES
    service: str  # as handed to instrument()


class Observer(Generic[Carrier]):
    """Observes the requests of one application from one vantage."""

    def __init__(
        self,
        telemetry: Telemetry,
        *,
        service: str,
        vantage: str,
        rule: SideRule,
        routes: Routes,
        reader: Reader,
        capture: Capture = NOTHING,
    ) -> None:
        """`reader` knows the carriers of this family; `capture` says what spans may carry. Raises DefinitionError."""
        if vantage not in contract.VANTAGES:
            raise DefinitionError(f"vantage {vantage!r} is not known: write one of {', '.join(contract.VANTAGES)}")
        self.telemetry = telemetry
        self.service = service
        self.vantage = vantage
        self.timer = telemetry.timer
        self._rule = rule
        self._routes = routes
        self._reader = reader
        self._own = rule.own
        self._template_of = reader.template_of
        self._path_of = reader.path_of
        self._name = routes.name
        self.known: Callable[[str | None], str | None] = routes.known.get  # type: ignore[assignment]  # None is none
        self._cells: dict[tuple[str, str, int, str, str], RequestCell] = {}
        self._capture = capture

    @overload
    def begin(
        self,
        carrier: Carrier,
        method: str,
        traceparent: str | None = None,
        tracestate: str | None = None,
        migration_status: str | None = None,
        migration_token: str | None = None,
    ) -> "Observation[Carrier] | None": ...

    @overload
    def begin(
        self,
        carrier: Carrier,
        method: str,
        traceparent: str | None,
        tracestate: str | None,
        migration_status: str | None,
        migration_token: str | None,
        kind: type[Seen],
    ) -> Seen | None: ...

    def begin(
        self,
        carrier: Carrier,
        method: str,
        traceparent: str | None = None,
        tracestate: str | None = None,
        migration_status: str | None = None,
        migration_token: str | None = None,
        kind: "type[Observation[Any]] | None" = None,
    ) -> "Observation[Any] | None":
        """Start observing; None if the instrumentation itself failed, and the request is to be left alone.

        With `kind` the observation is one of the adapter's own: one object for a request instead of two.
        """
        try:
            started = self.timer()
            if migration_status is None:
                side = self._own
            else:
                # No closure: it would make every name it uses slower to read, in every request.
                side = self._rule.decide(migration_status, migration_token, partial(self._reader.peer_of, carrier))
            around: Any = current_context().get(SPAN_KEY)
            if around is None:
                span = open_span(traceparent, tracestate)
            else:
                span = borrowed(around) or open_span(traceparent, tracestate)
            shared = self.telemetry
            if _otel._TRACER_PROVIDER is not shared.provider:
                follow_provider(shared)
            if shared.sampler is not None and span.ours:
                shared.sampler(span, method, self._reader.path_of, carrier)
            if shared.span_sink is not None and span.flags & SAMPLED:
                span.recording = True
            seen: Observation[Carrier] = _new(kind or Observation)
            seen.observer = self
            seen.carrier = carrier
            seen.method = method
            seen.side = side
            seen.span = span
            seen.started = started
            seen.first = 0.0
            seen.status = 0
            seen.route = None
            seen.finished = seen.gone = False
            return seen
        except Exception as error:  # noqa: BLE001 - the request's edge: a fault of ours must not become the request's
            self.telemetry.health.fault("begin", error)
            return None

    def record(self, seen: "Observation[Carrier]", error_type: str) -> None:
        """Put a finished request into its cells and, if somebody drains them, onto the span queue."""
        now, status, route = self.timer(), seen.status, seen.route
        if route is None:
            route = self.known(self._template_of(seen.carrier)) or self.route_of(seen.carrier)
        if status >= SERVER_ERROR and not error_type:
            error_type = str(status)
        key = (seen.method, route, status, error_type, seen.side)
        cell = self._cells.get(key) or self._cell(key)
        started = seen.started
        seconds = now - started
        if status:
            bucket = cell.duration.observe_with(seconds, cell.first_byte, (seen.first or now) - started)
        else:  # never answered: there was no first byte
            bucket = cell.duration.observe(seconds)
        span, shared = seen.span, self.telemetry
        if not span.flags & SAMPLED:
            return
        if shared.span_missed is not None:
            shared.span_missed()
        sink = shared.span_sink
        if sink is None:
            # Where nobody drains spans, one a second is made to show on the metrics page.
            if now < cell.stale[bucket]:
                return
            cell.stale[bucket] = now + EXEMPLAR_SECONDS
        # As `emit` does it: a function less, in the path of every request.
        path = self._captured(span, seen.carrier) if self._capture.any and span.recording else ""
        span.recording = False
        ended = cell.exemplars[bucket] = (span, cell.labels, path, self.service, shared.wall_clock(), seconds)
        if sink is not None and span.ours:
            sink(ended)

    def _cell(self, key: tuple[str, str, int, str, str]) -> RequestCell:
        """Look up, in the process, what this observer has not counted yet."""
        cell = self.telemetry.requests.get(*key, self.vantage)
        if key[0] == cell.labels[0] and key[3] == cell.labels[3]:  # or made-up methods and errors would fill it
            self._cells[key] = cell
        return cell

    def emit(self, seen: "Observation[Carrier]", labels: tuple[str, ...], seconds: float) -> None:
        """Hand the span of what has ended to whoever drains spans. `labels` in the order of contract.REQUEST_LABELS."""
        shared, span = self.telemetry, seen.span
        path = self._captured(span, seen.carrier) if self._capture.any and span.recording else ""
        span.recording = False  # what is set on it from now on comes too late
        if shared.span_sink is not None and span.ours:
            shared.span_sink((span, labels, path, self.service, shared.wall_clock(), seconds))

    def route_of(self, carrier: Carrier) -> str:
        """The bounded route of a request, as far as its framework has come."""
        template = self._template_of(carrier)
        if template is None:
            return self._name(None, self._path_of(carrier))
        return self.known(template) or self._name(template, "")

    def _captured(self, span: LightSpan, carrier: Carrier) -> str:
        """Write what a span may carry of the request beyond its shape; returns the path, if that is allowed."""
        capture = self._capture
        notes = span.write()
        for key, value in capture.read(carrier, self._reader.query_of, self._reader.header_of).items():
            if key not in notes.attributes:
                notes.set(key, value)
        return self._reader.path_of(carrier) if capture.path else ""


class Observation(Generic[Carrier]):
    """One request, as `Observer.begin` makes it. Only the first of `finish`, `abort` and `failed` counts."""

    __slots__ = (
        "carrier",
        "finished",
        "first",
        "gone",
        "method",
        "observer",
        "route",
        "side",
        "span",
        "started",
        "status",
    )

    observer: Observer[Carrier]
    carrier: Carrier
    method: str
    """As it was sent."""
    side: str
    """One of contract.SIDES."""
    span: LightSpan
    started: float
    """A reading of the observer's timer, in seconds; so is `first`."""
    first: float
    """When the first byte of the body went out; 0.0: not yet."""
    status: int
    """0: not answered yet."""
    route: str | None
    """Set by a gateway; else asked of the framework at the end."""
    finished: bool
    gone: bool
    """The client went away before the end of the response."""

    def first_byte(self) -> None:
        """The first byte of the body goes out now; later calls change nothing."""
        if not self.first:
            try:
                self.first = self.observer.timer()
            except Exception as error:  # noqa: BLE001 - the request's edge
                self.observer.telemetry.health.fault("first_byte", error)

    def finish(self, error_type: str = "") -> None:
        """The last byte is out."""
        if self.finished:
            return
        self.finished = True
        try:
            self.observer.record(self, error_type)
        except Exception as error:  # noqa: BLE001 - the request's edge
            self.observer.telemetry.health.fault("finish", error)

    def abort(self, error_type: str) -> None:
        """The request ended early, for a reason that is no exception of the application."""
        self.finish(error_type)

    def dismiss(self) -> None:
        """This turned out to be no request at all (an upgraded connection): count nothing."""
        self.finished = True

    def failed(self, error: BaseException) -> None:
        """The application raised. Before an answer this is a 500; what is no Exception broke in from outside."""
        if not isinstance(error, Exception):
            self.abort(contract.CANCELLED)
            return
        if not self.status:
            self.status = SERVER_ERROR
        try:
            name = error_name(error)
        except Exception as fault:  # noqa: BLE001 - the request's edge: the application's error goes on its way
            self.fault("failed", fault)
            name = contract.OTHER_ERROR
        self.finish(name)

    def fault(self, where: str, error: BaseException) -> None:
        """Count a fault of an adapter while it watched this request."""
        self.observer.telemetry.health.fault(where, error)

    def enter(self, inside: Context | None = None) -> Entered | None:
        """Make this the current request and span of the running context; hand the result to `leave`.

        `inside` is the context of an earlier time, for those who enter again and again.
        """
        try:
            if inside is None:
                inside = context_of(self.span, self)
            return make_current(inside)
        except Exception as error:  # noqa: BLE001 - the request's edge
            self.observer.telemetry.health.fault("enter", error)
            return None

    def leave(self, entered: Entered | None) -> None:
        """Put back what was current before `enter`."""
        if entered is None:
            return
        try:
            detach(entered)
        except Exception as error:  # noqa: BLE001 - the request's edge
            self.observer.telemetry.health.fault("leave", error)

    def view(self) -> CurrentRequest:
        """What a handler may know of it."""
        return CurrentRequest(
            trace_id=self.span.trace_id, span_id=self.span.span_id, served_by=self.side, service=self.observer.service
        )


def follow_provider(telemetry: Telemetry) -> None:
    """Take up a TracerProvider that the application has made the global one. Never raises."""
    provider = _otel._TRACER_PROVIDER
    with telemetry.lock:
        if provider is telemetry.provider:
            return
        telemetry.provider = provider
        if not any(kind.__module__.startswith(_SDK) for kind in type(provider).__mro__):
            return
        try:
            from figwatch.provider import adopt  # loads the SDK, which this provider has loaded already

            adopt(telemetry, provider)
        except Exception as error:  # noqa: BLE001 - the request's edge: without the provider we go on as before
            telemetry.health.fault("provider", error)


def current_request() -> CurrentRequest | None:
    """The request being served here, or None outside of one."""
    seen = cast("Observation[object] | None", current())
    return None if seen is None else seen.view()


def error_name(error: BaseException) -> str:
    """The exception's class: bare for builtins, else with its module, as OpenTelemetry writes `error.type`."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
