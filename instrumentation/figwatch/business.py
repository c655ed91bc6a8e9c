"""Declared business counters and histograms, in the same cells as the requests.

    MESSAGES = figwatch.counter("messages_total", "Messages answered.", labels=("channel",))
    MESSAGES.inc(channel="web")

    INFERENCE = figwatch.histogram("inference_duration_ms", "Inference.", unit="ms", labels=("model",))
    with INFERENCE.time(model="small"):
        ...

Names are exposed as given. The library adds `served_by`, the side of the request or message being served (empty outside
of one), and to histograms of times `outcome`. What is wrong in a declaration raises; what is wrong in a call is counted
and left out.
"""

import math
import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from types import TracebackType
from typing import Final, Self

from figwatch import contract
from figwatch.cells import OVERFLOW_VALUE, CounterCell, Definition, Family, HistogramCell
from figwatch.current import current
from figwatch.errors import DefinitionError
from figwatch.telemetry import Telemetry, process

SERIES_CAP: Final = 500
"""Sets of label values one business metric may have; further ones share one that is `__overflow__` throughout."""

VALUE_LENGTH: Final = 120
"""Characters of a label value that are kept."""

OUTCOME: Final = contract.OUTCOME
"""Label that histograms of times have: ok, error or cancelled."""

_PER_SECOND: Final = {"seconds": 1.0, "s": 1.0, "milliseconds": 1e3, "ms": 1e3, "microseconds": 1e6, "us": 1e6}
# Compiled when first used, not at import: a service pays for that in every process it starts.
_NAME: Final = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_LABEL: Final = r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*"
_RESERVED_LABELS: Final = frozenset({"le", "quantile", contract.SERVED_BY})
_ADDED: Final = (len(contract.SIDES) + 1) * len(contract.OUTCOMES)  # series for one set of declared values
_OUR_PREFIX: Final = "figwatch_"


def counter(name: str, help: str, labels: Sequence[str] = ()) -> "Counter":
    """Declare a counter; its name ends in `_total`. Raises DefinitionError or ConflictError."""
    if not name.endswith("_total"):
        raise DefinitionError(
            f"counter {name!r} must end in _total, as every counter is exposed: write {name + '_total'!r}"
        )
    declared = _checked(name, labels)
    definition = Definition(
        name=_checked_name(name), help=help, kind="counter", unit="", labels=(*declared, contract.SERVED_BY)
    )
    telemetry = process()
    family = telemetry.cells.counter(definition, cap=SERIES_CAP * _ADDED, folded=telemetry.health.folded)
    return Counter(telemetry, family, Labels(name, declared, telemetry.health.folded))


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
    checked = _checked(name, labels)
    declared = tuple(label for label in checked if label != OUTCOME)
    with_outcome = known in _PER_SECOND or OUTCOME in checked
    definition = Definition(
        name=_checked_name(name),
        help=help,
        kind="histogram",
        unit=known,
        labels=(*declared, *((OUTCOME,) if with_outcome else ()), contract.SERVED_BY),
        bounds=_bounds(name, known, buckets),
    )
    telemetry = process()
    family = telemetry.cells.histogram(definition, cap=SERIES_CAP * _ADDED, folded=telemetry.health.folded)
    return Histogram(telemetry, family, Labels(name, declared, telemetry.health.folded), with_outcome=with_outcome)


class Labels:
    """The declared labels of one metric, and the values that were admitted."""

    def __init__(self, metric: str, names: tuple[str, ...], folded: Callable[[str], None]) -> None:
        """`folded` is told the metric's name whenever values beyond the cap are folded."""
        self._metric = metric
        self._names = names
        self._folded = folded
        self._admitted: set[tuple[str, ...]] = set()

    def values(self, given: dict[str, object]) -> tuple[str, ...]:
        """Bounded values in the order of declaration; raises ValueError or KeyError for other labels than declared."""
        names = self._names
        if len(given) != len(names):
            raise ValueError(f"{self._metric} takes the labels {names}, not {tuple(given)}")
        values = tuple([str(given[name])[:VALUE_LENGTH] for name in names])
        if values in self._admitted:
            return values
        if len(self._admitted) < SERIES_CAP:
            self._admitted.add(values)
            return values
        self._folded(self._metric)
        return (OVERFLOW_VALUE,) * len(names)


def _side() -> str:
    """The side of what is being served here; empty outside of a request or message."""
    seen = current()
    return "" if seen is None else str(seen.side)


class Counter:
    """A declared counter."""

    def __init__(self, telemetry: Telemetry, family: Family[CounterCell], labels: Labels) -> None:
        """Made by `counter`."""
        self._telemetry = telemetry
        self._family = family
        self._labels = labels

    def inc(self, n: float = 1, **labels: object) -> None:
        """Add `n`, zero or more. Never raises: a wrong label or amount is counted as a fault and adds nothing."""
        try:
            self._family.cell((*self._labels.values(labels), _side())).add(n)
        except Exception as error:  # noqa: BLE001 - the request's edge: counting must not break what is counted
            self._telemetry.health.fault("business", error)


class Histogram:
    """A declared histogram."""

    def __init__(
        self, telemetry: Telemetry, family: Family[HistogramCell], labels: Labels, *, with_outcome: bool
    ) -> None:
        """Made by `histogram`."""
        self._telemetry = telemetry
        self._family = family
        self._labels = labels
        self._with_outcome = with_outcome

    def observe(self, value: float, outcome: str = "ok", **labels: object) -> None:
        """Count one value, in the histogram's unit; `outcome` is ok, error or cancelled, where it is a label.

        Never raises: what is wrong is counted as a fault and left out.
        """
        try:
            if outcome not in contract.OUTCOMES:
                raise ValueError(f"outcome is one of {contract.OUTCOMES}, not {outcome!r}")
            ending = (outcome, _side()) if self._with_outcome else (_side(),)
            self._family.cell((*self._labels.values(labels), *ending)).observe(value)
        except Exception as error:  # noqa: BLE001 - the request's edge: counting must not break what is counted
            self._telemetry.health.fault("business", error)

    def time(self, **labels: object) -> "Timer":
        """A context manager that observes how long its block took and how it ended."""
        return Timer(self, self._telemetry.timer, _PER_SECOND.get(self._family.definition.unit), labels)


class Timer:
    """Times one block. What is no Exception (a cancellation, an exit) counts as cancelled."""

    __slots__ = ("_histogram", "_labels", "_per_second", "_started", "_timer")

    def __init__(
        self,
        histogram: Histogram,
        timer: Callable[[], float],
        per_second: float | None,
        labels: dict[str, object],
    ) -> None:
        """`per_second` is how many of the histogram's units make a second; None where they measure no time."""
        self._histogram = histogram
        self._timer = timer
        self._per_second = per_second
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
        self._histogram.observe(elapsed, outcome_of(kind), **self._labels)


def outcome_of(kind: type[BaseException] | None) -> str:
    """How a block ended, by the class of what it raised: what is no Exception broke in from outside."""
    if kind is None:
        return "ok"
    return "error" if issubclass(kind, Exception) else "cancelled"


def _checked_name(name: str) -> str:
    if not re.fullmatch(_NAME, name):
        raise DefinitionError(
            f"metric name {name!r} must be letters, digits and underscores, and not start with a digit"
        )
    if name.startswith(_OUR_PREFIX) or name in contract.SERIES:
        raise DefinitionError(f"metric name {name!r} belongs to the library: choose another")
    return name


def _checked(name: str, labels: Sequence[str]) -> tuple[str, ...]:
    if isinstance(labels, str):
        raise DefinitionError(f"metric {name!r}: labels is a sequence of names: write labels=({labels!r},)")
    for label in labels:
        if not re.fullmatch(_LABEL, label) or label in _RESERVED_LABELS:
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
