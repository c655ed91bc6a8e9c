"""Consumers of messages: one block of code for each message.

    with figwatch.message("orders", headers=record.headers, sent_at=record.timestamp):
        handle(record)

The span is a child of the sender's (with `link=True` it begins a trace of its own and links there). How long it took,
how it ended and how long the message had waited are metrics. `async with` does the same.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial
from os import environ
from types import TracebackType
from typing import Any, Final, Self

from figwatch import contract
from figwatch.bounded import Bounded
from figwatch.business import outcome_of
from figwatch.cells import OVERFLOW_VALUE, Definition
from figwatch.errors import DefinitionError
from figwatch.launch import service_name, side_rule
from figwatch.observation import Entered, Observation, Observer, error_name
from figwatch.routes import Routes
from figwatch.telemetry import ERROR_TYPE_CAP, Telemetry, process
from figwatch.tracing import open_span, outgoing

DESTINATION_CAP: Final = 200
"""Queues or topics that one process may count; further ones share `__overflow__`."""

Headers = Mapping[str, str | bytes] | Iterable[tuple[str, str | bytes]]
"""As clients of brokers hand them out."""

_CAP: Final = 10_000
_DURATION: Final = Definition(
    name=contract.MESSAGE_DURATION,
    help="Seconds that a consumer took for one message.",
    kind="histogram",
    unit="seconds",
    labels=contract.MESSAGE_LABELS,
    bounds=contract.BUCKETS,
)
_LAG: Final = Definition(
    name=contract.MESSAGE_LAG,
    help="Seconds from a message's sending to the start of its processing.",
    kind="histogram",
    unit="seconds",
    labels=contract.LAG_LABELS,
    bounds=contract.LAG_BUCKETS,
)


def message(
    destination: str,
    headers: Headers = (),
    *,
    sent_at: datetime | float | None = None,
    link: bool = False,
    system: str = "",
    side: str = "service",
    service: str | None = None,
    trust_token: str | None = None,
) -> "MessageBlock":
    """Observe the processing of one message, as a context manager, synchronous or asynchronous.

    `destination` is the queue or topic. `sent_at` is when it was sent: a datetime with a time zone, or seconds since
    the epoch; without it no lag is counted. `system` names the broker (`kafka`, `rabbitmq`). `side` is where this
    consumer stands; migration headers beside `trust_token` (default: FIGWATCH_TRUST_TOKEN) are believed. Raises
    DefinitionError for a side that is none or a datetime without a time zone, and nothing while it is processed.
    """
    sent = _seconds(sent_at)
    consumer = _consumer(process(), side, service, trust_token)
    return MessageBlock(consumer, destination, _plain(headers), sent, link=link, system=system)


class _Consumer:
    """What the messages of one process and side share."""

    def __init__(self, telemetry: Telemetry, side: str, service: str, trust_token: str | None) -> None:
        folded = telemetry.health.folded
        self.telemetry = telemetry
        self.duration = telemetry.cells.histogram(_DURATION, cap=_CAP, folded=folded)
        self.lag = telemetry.cells.histogram(_LAG, cap=_CAP, folded=folded)
        self.destination = Bounded(DESTINATION_CAP, OVERFLOW_VALUE, partial(folded, contract.MESSAGE_DURATION))
        self.error_type = Bounded(ERROR_TYPE_CAP, contract.OTHER_ERROR, partial(folded, contract.MESSAGE_DURATION))
        self.observer: Observer[Mapping[str, str]] = Observer(
            telemetry,
            service=service,
            vantage="application",
            rule=side_rule(side, trust_token, (), telemetry, environ),
            routes=Routes((), folded),
            reader=_Reader(),
        )


class MessageBlock:
    """One message while it is processed."""

    def __init__(
        self,
        consumer: _Consumer,
        destination: str,
        headers: Mapping[str, str],
        sent: float | None,
        *,
        link: bool,
        system: str,
    ) -> None:
        """Made by `message`. `headers` have lower-case names; `sent` is seconds since the epoch."""
        self._consumer = consumer
        self._destination = destination
        self._headers = headers
        self._sent = sent
        self._link = link
        self._system = system
        self._seen: Observation[Mapping[str, str]] | None = None
        self._entered: Entered | None = None

    def __enter__(self) -> Self:
        self._seen = self._begin()
        if self._seen is not None:
            self._entered = self._seen.enter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        seen = self._seen
        if seen is None:
            return
        seen.leave(self._entered)
        try:
            self._record(seen, error)
        except Exception as fault:  # noqa: BLE001 - the message's edge: a fault of ours must not become its own
            seen.fault("message", fault)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, traceback)

    def _begin(self) -> Observation[Mapping[str, str]] | None:
        try:
            read = self._headers.get
            context = {name: read(name) for name in (contract.TRACEPARENT_HEADER, contract.TRACESTATE_HEADER)}
            parent = dict(outgoing()) if context[contract.TRACEPARENT_HEADER] is None else context
            seen = self._consumer.observer.begin(
                self._headers,
                "",
                None if self._link else parent.get(contract.TRACEPARENT_HEADER),
                None if self._link else parent.get(contract.TRACESTATE_HEADER),
                read(contract.MIGRATION_STATUS_HEADER.lower()),
                read(contract.MIGRATION_TOKEN_HEADER.lower()),
            )
            if seen is not None:
                seen.dismiss()  # it is no request
                self._describe(seen, parent)
            return seen
        except Exception as error:  # noqa: BLE001 - the message's edge
            self._consumer.telemetry.health.fault("message", error)
            return None

    def _describe(self, seen: Observation[Mapping[str, str]], parent: Mapping[str, str | None]) -> None:
        if self._sent is not None:
            now = self._consumer.telemetry.wall_clock() / 1e9
            # Clocks differ: a message from the future has not waited.
            where = self._consumer.destination(self._destination)
            self._consumer.lag.cell((where, seen.side)).observe(max(0.0, now - self._sent))
        if not seen.span.recording:
            return
        notes = seen.span.write()
        notes.kind = "consumer"
        notes.name = f"process {self._destination}"
        notes.set("messaging.operation.name", "process")
        notes.set("messaging.operation.type", "process")
        notes.set("messaging.destination.name", self._destination)
        notes.set("messaging.system", self._system)
        sender = parent.get(contract.TRACEPARENT_HEADER)
        if self._link and sender is not None:
            # A span beside the sender's: its trace with the sender's own id.
            beside = open_span(sender, parent.get(contract.TRACESTATE_HEADER))
            if beside.parent_id:
                beside.number = int(beside.parent_id, 16)
                notes.add_link(beside.get_span_context(), None)

    def _record(self, seen: Observation[Mapping[str, str]], error: BaseException | None) -> None:
        consumer = self._consumer
        seconds = seen.observer.timer() - seen.started
        outcome = outcome_of(type(error) if error is not None else None)
        error_type = "" if error is None else error_name(error) if outcome == "error" else contract.CANCELLED
        where = consumer.destination(self._destination)
        consumer.duration.cell((where, outcome, consumer.error_type(error_type), seen.side)).observe(seconds)
        if seen.span.recording:
            seen.observer.emit(seen, ("", "", "", error_type, seen.side, seen.observer.vantage), seconds)


class _Reader:
    """Reads the carriers of messages, which are their headers: there is no path, query or peer."""

    def template_of(self, _headers: Any) -> str | None:
        return None

    def path_of(self, _headers: Any) -> str:
        return ""

    def query_of(self, _headers: Any) -> str:
        return ""

    def header_of(self, headers: Any, name: str) -> str | None:
        found: str | None = headers.get(name)
        return found

    def peer_of(self, _headers: Any) -> str | None:
        return None


_consumers: dict[tuple[int, str, str, str | None], _Consumer] = {}


def _consumer(telemetry: Telemetry, side: str, service: str | None, trust_token: str | None) -> _Consumer:
    key = (id(telemetry), side, service or service_name(environ), trust_token)
    found = _consumers.get(key)
    if found is None or found.telemetry is not telemetry:
        found = _consumers[key] = _Consumer(telemetry, side, key[2], trust_token)
    return found


def _seconds(sent_at: datetime | float | None) -> float | None:
    if not isinstance(sent_at, datetime):
        return sent_at
    if sent_at.tzinfo is None:
        raise DefinitionError(f"sent_at {sent_at!r} has no time zone: hand over datetime.now(UTC) or seconds")
    return sent_at.timestamp()


def _plain(headers: Headers) -> dict[str, str]:
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    return {
        name.lower(): value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        for name, value in pairs
    }
