"""Observe one websocket: duration, messages, how it closed, one span. It is no request: it may last for days."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final, Literal

from figwatch import contract
from figwatch.bounded import Bounded
from figwatch.cells import CounterCell, Definition, Family, HistogramCell
from figwatch.observation import Observation, error_name
from figwatch.telemetry import ERROR_TYPE_CAP, Telemetry

CLOSED_BY_US: Final = 1011
"""What servers close with when the application raised."""
GONE: Final = 1006
"""The client went away without closing."""

_SWITCHING: Final = "101"
_FORBIDDEN: Final = "403"  # what servers answer to a client whose connection was not accepted

Direction = Literal["in", "out"]


class Connections:
    """The websocket series of one telemetry, declared when the first websocket is seen."""

    def __init__(self, telemetry: Telemetry) -> None:
        """Declaring twice gives the same series."""
        cells, folded = telemetry.cells, telemetry.health.folded
        self._duration: Family[HistogramCell] = cells.histogram(_DURATION, cap=_CAP, folded=folded)
        self._messages: Family[CounterCell] = cells.counter(_MESSAGES, cap=_CAP, folded=folded)
        self._bounded = Bounded(ERROR_TYPE_CAP, contract.OTHER_ERROR, partial(folded, contract.WEBSOCKET_DURATION))

    def closed(self, route: str, code: str, error_type: str, side: str, vantage: str, seconds: float) -> None:
        """A connection ended."""
        self._duration.cell((route, code, self._bounded(error_type), side, vantage)).observe(seconds)

    def message(self, route: str, direction: Direction, side: str, vantage: str) -> CounterCell:
        """Where the messages of one connection are counted."""
        return self._messages.cell((route, direction, side, vantage))


class Connection:
    """One websocket, from the handshake to its end. Only the first end counts, and nothing here raises."""

    def __init__(self, connections: Connections, seen: Observation[Any]) -> None:
        """`seen` is the observation that began with the handshake; it is dismissed, for it ends as no request."""
        seen.dismiss()
        self.seen = seen
        self.accepted = False
        self._connections = connections
        self._cells: dict[Direction, CounterCell] = {}
        self._ended = False

    def message(self, direction: Direction) -> None:
        """A message came in or went out."""
        try:
            cell = self._cells.get(direction)
            if cell is None:
                seen = self.seen
                route, vantage = seen.observer.route_of(seen.carrier), seen.observer.vantage
                cell = self._cells[direction] = self._connections.message(route, direction, seen.side, vantage)
            cell.add()
        except Exception as error:  # noqa: BLE001 - the connection's edge: a fault of ours must not end it
            self.seen.fault("websocket", error)

    def end(self, code: int | None, error_type: str = "") -> None:
        """The connection is closed, with this code where one is known."""
        if self._ended:
            return
        self._ended = True
        try:
            self._record(code, error_type or (contract.CLIENT_DISCONNECT if code == GONE else ""))
        except Exception as error:  # noqa: BLE001 - the connection's edge
            self.seen.fault("websocket", error)

    def failed(self, error: BaseException) -> None:
        """The application raised; what is no Exception broke in from outside."""
        self.end(CLOSED_BY_US, error_name(error) if isinstance(error, Exception) else contract.CANCELLED)

    def _record(self, code: int | None, error_type: str) -> None:
        seen, observer = self.seen, self.seen.observer
        route, seconds = observer.route_of(seen.carrier), observer.timer() - seen.started
        told = bounded_code(code) if self.accepted else contract.REJECTED
        self._connections.closed(route, told, error_type, seen.side, observer.vantage, seconds)
        if seen.span.recording:
            seen.span.set_attributes(_of_a_socket(code if self.accepted else None))
            status = _SWITCHING if self.accepted else _FORBIDDEN
            observer.emit(seen, ("GET", route, status, error_type, seen.side, observer.vantage), seconds)


def bounded_code(code: int | None) -> str:
    """The close code: the registered ones as they are, those of libraries and applications by their thousand."""
    if code is None:
        return ""
    if 1000 <= code <= 1015:
        return str(code)
    return f"{code // 1000}xxx" if 3000 <= code <= 4999 else contract.OTHER_METHOD


def _of_a_socket(code: int | None) -> Mapping[str, Any]:
    known = {"network.protocol.name": "websocket"}
    return known if code is None else {**known, "figwatch.websocket.close_code": code}


_CAP: Final = 2_000
_DURATION: Final = Definition(
    name=contract.WEBSOCKET_DURATION,
    help="Seconds from the handshake of a websocket to its end.",
    kind="histogram",
    unit="seconds",
    labels=contract.WEBSOCKET_LABELS,
    bounds=contract.WEBSOCKET_BUCKETS,
)
_MESSAGES: Final = Definition(
    name=contract.WEBSOCKET_MESSAGES,
    help="Messages of websockets.",
    kind="counter",
    unit="",
    labels=contract.WEBSOCKET_MESSAGE_LABELS,
)
