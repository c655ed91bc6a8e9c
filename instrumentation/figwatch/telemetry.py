"""What all observers of one process share: cells, the library's health, clocks, and the span sink if one drains."""

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from figwatch import contract
from figwatch.cells import UNCAPPED, Cells, Definition, Family, HistogramCell, Storage
from figwatch.health import Health
from figwatch.sampling import Sampler
from figwatch.span_record import Ended, SpanRecord

FOLDER_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
"""The folder that worker processes share. prometheus_client reads the variable, too; its files and ours are apart."""

ERROR_TYPE_CAP: Final = 100
"""Distinct exception names counted; the rest is `_OTHER`, so that made-up classes add no series."""


class RequestCell:
    """Both histograms of one label set, and the labels as they are written."""

    __slots__ = ("duration", "exemplars", "first_byte", "labels", "stale")

    def __init__(
        self,
        duration: HistogramCell,
        first_byte: HistogramCell,
        labels: tuple[str, ...],
        exemplars: list[Ended | None],
    ) -> None:
        """`labels` in the order of contract.REQUEST_LABELS."""
        self.duration = duration
        self.first_byte = first_byte
        self.labels = labels
        self.exemplars = exemplars  # a recent sampled request of this process in each bucket
        self.stale = [0.0] * len(exemplars)  # when each is old enough to be replaced, by the telemetry's timer


class RequestCells:
    """Finds the cell of a request by one dict lookup; builds it on first sight."""

    def __init__(self, cells: Cells, health: Health) -> None:
        """Declares both request histograms, so that they are exposed before the first request."""
        self._health = health
        self._duration = _declare(
            cells, health, contract.REQUEST_DURATION, "Seconds from first byte in to last byte out."
        )
        self._first = _declare(
            cells, health, contract.TIME_TO_FIRST_BYTE, "Seconds from first byte in to first byte out."
        )
        self._found: dict[tuple[str, str, int, str, str, str], RequestCell] = {}
        self._exemplars: dict[tuple[str, ...], list[Ended | None]] = {}
        self._errors: set[str] = set()
        self._lock = threading.Lock()

    def get(self, method: str, route: str, status: int, error_type: str, side: str, vantage: str) -> RequestCell:
        """`status` 0 is a request that was never answered; `route` must be bounded already."""
        key = (method, route, status, error_type, side, vantage)
        found = self._found.get(key)
        return found if found is not None else self._build(*key)

    def _build(self, method: str, route: str, status: int, error_type: str, side: str, vantage: str) -> RequestCell:
        key = (_bounded_method(method), route, _bounded_status(status), self._bounded_error(error_type), side, vantage)
        with self._lock:
            if key not in self._found:
                labels = (key[0], route, str(key[2]) if key[2] else "", key[3], side, vantage)
                exemplars = self._exemplars.setdefault(labels, [None] * (len(contract.BUCKETS) + 1))
                self._found[key] = RequestCell(self._duration.cell(labels), self._first.cell(labels), labels, exemplars)
            return self._found[key]

    def exemplars(self, labels: tuple[str, ...]) -> Sequence[SpanRecord | None]:
        """A recent sampled request in each bucket of a series of REQUEST_DURATION."""
        return [None if each is None else SpanRecord._make(each) for each in self._exemplars.get(labels, ())]

    def forked(self) -> None:
        """In a forked child: a lock that a thread of the parent held would never be released."""
        self._lock = threading.Lock()

    def _bounded_error(self, error_type: str) -> str:
        with self._lock:
            if error_type in self._errors or len(self._errors) < ERROR_TYPE_CAP:
                self._errors.add(error_type)
                return error_type
        self._health.folded(contract.REQUEST_DURATION)
        return contract.OTHER_ERROR


def _bounded_method(method: str) -> str:
    return method if method in contract.METHODS else contract.OTHER_METHOD


def _bounded_status(status: int) -> int:
    return status if 100 <= status <= 999 else 0


def _declare(cells: Cells, health: Health, name: str, text: str) -> Family[HistogramCell]:
    definition = Definition(
        name=name, help=text, kind="histogram", unit="seconds", labels=contract.REQUEST_LABELS, bounds=contract.BUCKETS
    )
    # Bounded label by label and not capped, so that folding never hides a status, an error or a side.
    return cells.histogram(definition, cap=UNCAPPED, folded=health.folded)


class Telemetry:
    """The numbers of one process. There is one for all of `figwatch.*`; tests may build their own."""

    def __init__(
        self,
        cells: Cells | None = None,
        timer: Callable[[], float] = time.perf_counter,
        wall_clock: Callable[[], int] = time.time_ns,
    ) -> None:
        """`timer` gives seconds from any origin and never goes back; `wall_clock` nanoseconds since the epoch."""
        self.cells = cells if cells is not None else Cells()
        self.health = Health(self.cells)
        self.requests = RequestCells(self.cells, self.health)
        self.timer = timer
        self.wall_clock = wall_clock
        self.span_sink: Callable[[Ended], None] | None = None  # set when somebody drains; no span is made else
        self.span_missed: Callable[[], object] | None = None  # in place of the sink, while there is no room for spans
        self.sampler: Sampler | None = None  # decides in place of the caller, where one is configured
        self.provider: object = None  # the global TracerProvider that was looked at last
        self.bridged = False  # whether a provider's processors get the spans
        self.lock = threading.RLock()  # for what happens once: starting to export, following a provider
        self.exporting = False  # whether the export was started, or refused, already
        self.stop_export: Callable[[float], None] | None = None  # set while an exporter runs; takes seconds
        self.after_fork: list[Callable[[], None]] = []  # what has to begin anew in a forked child

    def forked(self) -> None:
        """In a forked child: count from zero, and hold no lock of a thread that stayed behind."""
        self.lock = threading.RLock()
        self.cells.forked()
        self.requests.forked()
        for begin_anew in self.after_fork:
            begin_anew()


_process: Telemetry | None = None
_process_lock = threading.Lock()


def process() -> Telemetry:
    """The one telemetry of this process, made on first use."""
    global _process
    if _process is None:
        with _process_lock:
            if _process is None:
                _process = Telemetry(Cells(_storage(os.environ)))
    return _process


def _storage(environment: Mapping[str, str]) -> Storage | None:
    """The folder that worker processes share, where there is one."""
    folder = environment.get(FOLDER_VARIABLE, "")
    if not folder:
        return None
    from pathlib import Path  # both only for those who have many workers

    from figwatch.mapped import Mapped

    return Mapped(Path(folder))


def _forked() -> None:
    global _process_lock
    _process_lock = threading.Lock()
    if _process is not None:
        _process.forked()


os.register_at_fork(after_in_child=_forked)
