"""The framework-free core of an edge gateway: who serves a request, the headers that say so, the edge's counts.

table = RouteTable({"/api/v1/chat": 10, "/api/v1/models/{id}": 0})
edge = Edge()

decision = table.decide(path, draw=randrange(100))
with edge.observe(method, path, decision, traceparent=...) as seen:
    headers = seen.upstream_headers(request_headers, token)
    ...                         # forward; seen.upstream_failed() or .upstream_timed_out() where that is what happened
    seen.answered(status)       # as it goes out to the client
    seen.first_byte()
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self, TypedDict
from urllib.parse import quote

from figwatch import contract
from figwatch.errors import DefinitionError, RevisionConflictError, RouteError, UnknownRouteError
from figwatch.migration import SideRule
from figwatch.observation import Entered, Observation, Observer
from figwatch.routes import Routes, RouteTree, canonical
from figwatch.telemetry import Telemetry, process

WHOLE: Final = 100
"""A service share is an integer number of hundredths of a route's requests."""

BAD_GATEWAY: Final = 502
GATEWAY_TIMEOUT: Final = 504

_MIGRATION_HEADERS: Final = frozenset(
    name.lower()
    for name in (contract.MIGRATION_STATUS_HEADER, contract.ORIGINAL_PATH_HEADER, contract.MIGRATION_TOKEN_HEADER)
)
_TRACE_HEADERS: Final = frozenset({contract.TRACEPARENT_HEADER, contract.TRACESTATE_HEADER})
_PATH_CHARACTERS: Final = "/%:@!$&'()*+,;=~-._"  # stand for themselves in a header; the rest is percent-encoded

Headers = list[tuple[str, str]]


@dataclass(slots=True, frozen=True, kw_only=True)
class Decision:
    """Where one request goes."""

    route_template: str  # bounded: a rule's template or `__unmatched__`
    side: str  # one of contract.SIDES

    @property
    def rule(self) -> str | None:
        """The template of the rule that decided; None where none matched."""
        return None if self.route_template == contract.UNMATCHED_ROUTE else self.route_template


class RouteState(TypedDict):
    """A rule as the control call shows it."""

    route: str
    service_share: int  # 0..100
    revision: int  # goes up by one with each change, from 1
    changed_by: str


@dataclass(slots=True, frozen=True, kw_only=True)
class _Rule:
    template: str
    service_share: int
    revision: int
    changed_by: str

    def state(self) -> RouteState:
        return RouteState(
            route=self.template, service_share=self.service_share, revision=self.revision, changed_by=self.changed_by
        )


class RouteTable:
    """Which share of each route the new service takes. Templates are compiled once; shares change while it serves."""

    def __init__(
        self, rules: Mapping[str, int], *, unmatched: str = "legacy", changed_by: str = "configuration"
    ) -> None:
        """`rules` maps templates to integer shares of 0 to 100; what no rule matches goes to the side `unmatched`.

        Raises RouteError for a template or share that cannot be, or two templates that match the same paths.
        """
        if unmatched not in ("legacy", "service"):
            raise RouteError(f"unmatched requests go to 'legacy' or 'service', not to {unmatched!r}")
        self._tree: RouteTree[str] = RouteTree((template, canonical(template)) for template in rules)
        self._rules = {
            canonical(template): _Rule(
                template=canonical(template),
                service_share=_checked_share(template, share),
                revision=1,
                changed_by=changed_by,
            )
            for template, share in rules.items()
        }
        self._unmatched = Decision(route_template=contract.UNMATCHED_ROUTE, side=unmatched)
        self._lock = threading.Lock()

    def decide(self, path: str, draw: int) -> Decision:
        """Where a request goes. `path` is decoded and without query; `draw` is 0 to 99, drawn evenly by the caller."""
        template = self._tree.find(path)
        if template is None:
            return self._unmatched
        side = "service" if draw < self._rules[template].service_share else "legacy"
        return Decision(route_template=template, side=side)

    def read(self, template: str) -> RouteState:
        """A rule as it stands; raises UnknownRouteError."""
        return self._rule(template).state()

    def read_all(self) -> list[RouteState]:
        """Every rule as it stands, in the order of the configuration."""
        return [rule.state() for rule in self._rules.values()]

    def set_share(
        self, template: str, share: int, *, changed_by: str, expected_revision: int | None = None
    ) -> RouteState:
        """Change who serves a route, and remember who said so.

        With `expected_revision` the change is refused by RevisionConflictError if somebody was faster. Raises
        UnknownRouteError and RouteError.
        """
        with self._lock:
            rule = self._rule(template)
            if expected_revision is not None and rule.revision != expected_revision:
                raise RevisionConflictError(
                    f"route {rule.template!r} is at revision {rule.revision} (changed by {rule.changed_by}), "
                    f"not at {expected_revision}: read it again before changing it"
                )
            changed = _Rule(
                template=rule.template,
                service_share=_checked_share(rule.template, share),
                revision=rule.revision + 1,
                changed_by=changed_by,
            )
            self._rules[rule.template] = changed
            return changed.state()

    def _rule(self, template: str) -> _Rule:
        rule = self._rules.get(canonical(template))
        if rule is None:
            raise UnknownRouteError(f"no route {template!r} here; there are: {', '.join(self._rules) or 'none'}")
        return rule


def _checked_share(template: str, share: object) -> int:
    if isinstance(share, bool) or not isinstance(share, int) or not 0 <= share <= WHOLE:
        raise RouteError(f"route {template!r}: a service share is a whole number from 0 to {WHOLE}, not {share!r}")
    return share


def migration_headers(
    raw_headers: Iterable[tuple[str, str]], decision: Decision, original_path: str, token: str | None
) -> Headers:
    """The request's headers without any migration header a client may have forged, and with ours.

    Names are matched in any case and with underscores for dashes, which WSGI servers cannot tell apart. Drop hop-by-hop
    headers yourself, before this: what `Connection` names would take ours along.
    """
    kept = unforged(raw_headers)
    kept.append((contract.MIGRATION_STATUS_HEADER, decision.side))
    kept.append((contract.ORIGINAL_PATH_HEADER, quote(original_path, safe=_PATH_CHARACTERS)))
    if token:
        kept.append((contract.MIGRATION_TOKEN_HEADER, token))
    return kept


def unforged(raw_headers: Iterable[tuple[str, str]]) -> Headers:
    """The headers without those that only a gateway may set."""
    return [(name, value) for name, value in raw_headers if name.lower().replace("_", "-") not in _MIGRATION_HEADERS]


class Edge:
    """Counts at vantage `edge` what a gateway sends to each side."""

    def __init__(self, service: str = "gateway", telemetry: Telemetry | None = None) -> None:
        """`service` names the gateway in traces; `telemetry` defaults to this process's own."""
        shared = telemetry if telemetry is not None else process()
        self._observer: Observer[str] = Observer(
            shared,
            service=service,
            vantage="edge",
            rule=SideRule("legacy", None, shared.health),
            routes=Routes((), shared.health.folded),
            reader=_Paths(),
        )

    def observe(
        self,
        method: str,
        path: str,
        decision: Decision,
        *,
        traceparent: str | None = None,
        tracestate: str | None = None,
        client_gone: Callable[[], bool] | None = None,
    ) -> "EdgeObservation":
        """Observe one request, as a context manager; `client_gone` is asked when its block ends with an exception."""
        if decision.side not in contract.SIDES:
            raise DefinitionError(f"side {decision.side!r} is not known: write one of {', '.join(contract.SIDES)}")
        seen = self._observer.begin(path, method, traceparent, tracestate)
        if seen is not None:
            seen.route = decision.route_template
            seen.side = decision.side
        return EdgeObservation(seen, path, decision, client_gone)


class EdgeObservation:
    """One request on its way through a gateway. It is counted once, when the `with` block ends."""

    def __init__(
        self, seen: Observation[str] | None, path: str, decision: Decision, client_gone: Callable[[], bool] | None
    ) -> None:
        """`seen` is None where the instrumentation failed: everything then works, and nothing is counted."""
        self._seen = seen
        self._path = path
        self._decision = decision
        self._client_gone = client_gone
        self._entered: Entered | None = None
        self._error_type = ""

    @property
    def trace_id(self) -> str | None:
        """For the X-Trace-Id header of the response."""
        return None if self._seen is None else self._seen.span.trace_id

    def upstream_headers(self, raw_headers: Iterable[tuple[str, str]], token: str | None) -> Headers:
        """`migration_headers`, with the trace context of this hop in place of the client's."""
        headers = migration_headers(raw_headers, self._decision, self._path, token)
        if self._seen is None:
            return headers
        kept = [(name, value) for name, value in headers if name.lower() not in _TRACE_HEADERS]
        return kept + self._seen.span.headers()

    def answered(self, status: int) -> None:
        """The status line goes out to the client."""
        if self._seen is not None:
            self._seen.status = status

    def first_byte(self) -> None:
        """The first byte of the body goes out to the client; later calls change nothing."""
        if self._seen is not None:
            self._seen.first_byte()

    def upstream_failed(self) -> None:
        """The upstream refused, reset or broke off: bad for its side. A client not answered yet is told 502."""
        self._failed(contract.UPSTREAM_FAILURE, BAD_GATEWAY)

    def upstream_timed_out(self) -> None:
        """The upstream did not answer in time: bad for its side. A client not answered yet is told 504."""
        self._failed(contract.UPSTREAM_TIMEOUT, GATEWAY_TIMEOUT)

    def client_left(self) -> None:
        """The client went away before the end: neither good nor bad. An upstream that failed before stays failed."""
        self._error_type = self._error_type or contract.CLIENT_DISCONNECT

    def __enter__(self) -> Self:
        if self._seen is not None:
            self._entered = self._seen.enter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._seen is None:
            return
        self._seen.leave(self._entered)
        if self._error_type:
            self._seen.abort(self._error_type)
        elif error is None:
            self._finish(self._seen)
        elif self._is_client_gone(self._seen):
            self._seen.abort(contract.CLIENT_DISCONNECT)
        else:
            self._seen.failed(error)

    def _finish(self, seen: Observation[str]) -> None:
        if seen.status:
            seen.finish()
        else:
            seen.status = BAD_GATEWAY
            seen.abort(contract.NO_RESPONSE)

    def _failed(self, error_type: str, status: int) -> None:
        self._error_type = error_type
        if self._seen is not None and not self._seen.status:
            self._seen.status = status

    def _is_client_gone(self, seen: Observation[str]) -> bool:
        try:
            return self._client_gone is not None and self._client_gone()
        except Exception as error:  # noqa: BLE001 - the request's edge
            seen.fault("gateway", error)
            return False


class _Paths:
    """Reads the carriers of an `Edge`, which are paths: the gateway itself names the route and reads the headers."""

    def template_of(self, _path: str) -> str | None:
        return None

    def path_of(self, path: str) -> str:
        return path

    def query_of(self, _path: str) -> str:
        return ""

    def header_of(self, _path: str, _name: str) -> str | None:
        return None

    def peer_of(self, _path: str) -> str | None:
        return None
