"""Declared business counters and histograms, in the same cells as the requests.

    MESSAGES = figwatch.counter("messages_total", "Messages answered.", labels=("model",))
    MESSAGES.inc(model="small")

    INFERENCE = figwatch.histogram("inference_duration_ms", "Inference.", labels=("model", "outcome"))
    with INFERENCE.time(model="small"):
        ...

Names are exposed as given. What is wrong in a declaration raises; what is wrong in a call is counted and left out.
"""

import math
import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from types import TracebackType
from typing import Final, Self

from figwatch import contract
from figwatch.cells import CounterCell, Definition, Family, HistogramCell
from figwatch.errors import DefinitionError
from figwatch.telemetry import Telemetry, process

SERIES_CAP: Final = 500
"""Label sets one business metric may have; further ones share one overflow series."""

VALUE_LENGTH: Final = 120
"""Characters of a label value that are kept."""

OUTCOME: Final = "outcome"
"""Label that `time` fills with ok, error or cancelled, where it is declared."""

_PER_SECOND: Final = {"seconds": 1.0, "s": 1.0, "milliseconds": 1e3, "ms": 1e3, "microseconds": 1e6, "us": 1e6}
_NAME: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL: Final = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")
_RESERVED_LABELS: Final = frozenset({"le", "quantile"})
_OUR_PREFIX: Final = "figwatch_"


def counter(name: str, help: str, labels: Sequence[str] = ()) -> "Counter":
    """Declare a counter; its name ends in `_total`. Raises DefinitionError or ConflictError."""
    if not name.endswith("_total"):
        raise DefinitionError(
            f"counter {name!r} must end in _total, as every counter is exposed: write {name + '_total'!r}"
        )
    definition = Definition(name=_checked_name(name), help=help, kind="counter", unit="", labels=_checked(name, labels))
    telemetry = process()
    return Counter(telemetry, telemetry.cells.counter(definition, cap=SERIES_CAP, folded=telemetry.health.folded))


def histogram(
    name: str,
    help: str,
    unit: str | None = None,
    labels: Sequence[str] = (),
    buckets: Sequence[float] | None = None,
) -> "Histogram":
    """Declare a histogram.

    `unit` defaults to what the name ends in (`_seconds`, `_ms`); given, the name must end in it. `buckets` are upper
    bounds in that unit, without the infinite one; those of requests serve for times. Raises DefinitionError or
    ConflictError.
    """
    known = unit if unit is not None else _unit_of(name)
    if known and not name.endswith(f"_{known}"):
        raise DefinitionError(
            f"histogram {name!r} has the unit {known!r} and must end in it: write {f'{name}_{known}'!r}"
        )
    definition = Definition(
        name=_checked_name(name),
        help=help,
        kind="histogram",
        unit=known,
        labels=_checked(name, labels),
        bounds=_bounds(name, known, buckets),
    )
    telemetry = process()
    return Histogram(telemetry, telemetry.cells.histogram(definition, cap=SERIES_CAP, folded=telemetry.health.folded))


class Counter:
    """A declared counter."""

    def __init__(self, telemetry: Telemetry, family: Family[CounterCell]) -> None:
        """Made by `counter`."""
        self._telemetry = telemetry
        self._family = family

    def inc(self, n: float = 1, **labels: object) -> None:
        """Add `n`, zero or more. Never raises: a wrong label or amount is counted as a fault and adds nothing."""
        try:
            self._family.cell(_values(self._family.definition, labels)).add(n)
        except Exception as error:  # noqa: BLE001 - the request's edge: counting must not break what is counted
            self._telemetry.health.fault("business", error)


class Histogram:
    """A declared histogram."""

    def __init__(self, telemetry: Telemetry, family: Family[HistogramCell]) -> None:
        """Made by `histogram`."""
        self._telemetry = telemetry
        self._family = family

    def observe(self, value: float, **labels: object) -> None:
        """Count one value, in the histogram's unit. Never raises: what is wrong is counted as a fault and left out."""
        try:
            self._family.cell(_values(self._family.definition, labels)).observe(value)
        except Exception as error:  # noqa: BLE001 - the request's edge: counting must not break what is counted
            self._telemetry.health.fault("business", error)

    def time(self, **labels: object) -> "Timer":
        """A context manager that observes how long its block took, and how it ended if `outcome` is a label."""
        definition = self._family.definition
        return Timer(
            self, self._telemetry.timer, _PER_SECOND.get(definition.unit), OUTCOME in definition.labels, labels
        )


class Timer:
    """Times one block. What is no Exception (a cancellation, an exit) counts as cancelled."""

    __slots__ = ("_histogram", "_labels", "_per_second", "_started", "_timer", "_with_outcome")

    def __init__(
        self,
        histogram: Histogram,
        timer: Callable[[], float],
        per_second: float | None,
        with_outcome: bool,
        labels: dict[str, object],
    ) -> None:
        """`per_second` is how many of the histogram's units make a second; None where they measure no time."""
        self._histogram = histogram
        self._timer = timer
        self._per_second = per_second
        self._with_outcome = with_outcome
        self._labels = labels
        self._started = 0.0

    def __enter__(self) -> Self:
        self._started = self._timer()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # NaN is refused and counted by `observe`: a histogram of bytes cannot time anything.
        elapsed = (self._timer() - self._started) * (self._per_second if self._per_second is not None else math.nan)
        if self._with_outcome:
            self._labels[OUTCOME] = _outcome(kind)
        self._histogram.observe(elapsed, **self._labels)


def _outcome(kind: type[BaseException] | None) -> str:
    if kind is None:
        return "ok"
    return "error" if issubclass(kind, Exception) else "cancelled"


def _values(definition: Definition, labels: dict[str, object]) -> tuple[str, ...]:
    if len(labels) != len(definition.labels):
        raise ValueError(f"{definition.name} takes the labels {definition.labels}, not {tuple(labels)}")
    return tuple([str(labels[name])[:VALUE_LENGTH] for name in definition.labels])


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise DefinitionError(
            f"metric name {name!r} must be letters, digits and underscores, and not start with a digit"
        )
    if name.startswith(_OUR_PREFIX) or name in (contract.REQUEST_DURATION, contract.TIME_TO_FIRST_BYTE):
        raise DefinitionError(f"metric name {name!r} belongs to the library: choose another")
    return name


def _checked(name: str, labels: Sequence[str]) -> tuple[str, ...]:
    if isinstance(labels, str):
        raise DefinitionError(f"metric {name!r}: labels is a sequence of names: write labels=({labels!r},)")
    for label in labels:
        if not _LABEL.fullmatch(label) or label in _RESERVED_LABELS:
            raise DefinitionError(f"metric {name!r}: {label!r} cannot be a label name")
    if len(set(labels)) != len(labels):
        raise DefinitionError(f"metric {name!r}: a label is named twice in {tuple(labels)}")
    return tuple(labels)


def _unit_of(name: str) -> str:
    ending = name.rpartition("_")[2]
    return ending if ending in _PER_SECOND else ""


def _bounds(name: str, unit: str, buckets: Sequence[float] | None) -> tuple[float, ...]:
    if buckets is None:
        if unit not in _PER_SECOND:
            raise DefinitionError(f"histogram {name!r} measures no time: give its buckets")
        return tuple(bound * _PER_SECOND[unit] for bound in contract.BUCKETS)
    bounds = tuple(float(bound) for bound in buckets if bound != math.inf)
    rising = all(low < high for low, high in pairwise(bounds))
    if not bounds or not rising or not all(0 <= bound < math.inf for bound in bounds):
        raise DefinitionError(
            f"histogram {name!r}: buckets must be rising finite bounds of zero or more, not {buckets!r}"
        )
    return bounds
