"""Our own counts and buckets: one prebuilt cell per label set, found by one dict lookup.

A cell only adds to slots; where the slots lie is the business of a `Storage`. `Memory` keeps them in this process;
`figwatch.mapped.Mapped` in a file that worker processes share. /metrics reads `Cells.snapshot`, which answers for all
workers; OTLP reads `Cells.own`, because every worker exports for itself. Nobody reads a cell.

The values here are named tuples: every service pays for importing this file, and a dataclass costs a millisecond each.
"""

import math
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, MutableSequence, Sequence
from contextlib import suppress
from threading import RLock
from typing import Final, Generic, Literal, NamedTuple, Protocol, TypeVar

from figwatch.errors import ConflictError

OVERFLOW_VALUE: Final = "__overflow__"
"""Every label of the one series that takes what lies beyond a family's cap."""

UNCAPPED: Final = 2**63
"""A cap for families whose labels are bounded one by one."""

LARGEST: Final = 2.0**53
"""Values beyond are refused: a float no longer counts in ones there, and sums stay far from infinity."""


class Slots(NamedTuple):
    """Where one cell adds: integer counts, one float sum, the lock that guards both, and when they were born."""

    counts: "MutableSequence[int] | memoryview[int]"
    sums: "MutableSequence[float] | memoryview[float]"
    # Reentrant, so that a signal handler or finalizer that counts while its thread is counting cannot deadlock.
    lock: RLock
    created: float  # seconds since the epoch


class Reading(NamedTuple):
    """One series as it stands now. `counts` are per bucket, not cumulated; a counter has one."""

    labels: tuple[str, ...]
    counts: tuple[int, ...]
    total: float  # sum of observed values; for a counter the part that was not added in whole numbers
    created: float  # seconds since the epoch


class Storage(Protocol):
    """Where the numbers live."""

    def allot(self, definition: "Definition", labels: tuple[str, ...]) -> Slots:
        """Slots of `definition.size` counts for one series; the same arguments give the same slots."""

    def full(self, definition: "Definition", labels: tuple[str, ...], cap: int) -> bool:
        """Whether these labels would be one series more than `cap`, counting what every worker has."""

    def readings(self, definition: "Definition") -> list[Reading]:
        """Every series that this process counted, in the order of birth."""

    def snapshot(self, declared: "Sequence[Definition]") -> list[tuple["Definition", list[Reading]]]:
        """Every series that any worker counted: the families declared here first, then those of other workers."""

    def forked(self) -> None:
        """In a forked child: what was allotted before belongs to the parent; begin at nothing."""


class Memory:
    """Slots in this process's memory."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives seconds since the epoch, for the created-timestamps."""
        self._clock = clock
        self._families: dict[str, dict[tuple[str, ...], Slots]] = {}
        self._lock = threading.Lock()
        # One for all series: it is held for a few additions, and a request that counts twice takes it once.
        self._counting = RLock()

    def allot(self, definition: "Definition", labels: tuple[str, ...]) -> Slots:
        """Slots of `definition.size` counts for one series; the same arguments give the same slots."""
        with self._lock:
            series = self._families.setdefault(definition.name, {})
            if labels not in series:
                created = self._clock()
                series[labels] = Slots(counts=[0] * definition.size, sums=[0.0], lock=self._counting, created=created)
            return series[labels]

    def full(self, definition: "Definition", labels: tuple[str, ...], cap: int) -> bool:
        """Whether these labels would be one series more than `cap`."""
        known = self._families.get(definition.name, {})
        return labels not in known and len(known) >= cap

    def readings(self, definition: "Definition") -> list[Reading]:
        """Every series of the family, in the order of birth, each read under its lock."""
        with self._lock:
            series = list(self._families.get(definition.name, {}).items())
        return [read_slots(labels, slots) for labels, slots in series]

    def snapshot(self, declared: "Sequence[Definition]") -> list[tuple["Definition", list[Reading]]]:
        """What `readings` says of each: this process is the only one there is."""
        return [(definition, self.readings(definition)) for definition in declared]

    def forked(self) -> None:
        """In a forked child: its counts begin at zero, and no lock of a thread that stayed behind is kept."""
        self._lock = threading.Lock()
        self._counting = RLock()
        self._families = {}


def read_slots(labels: tuple[str, ...], slots: Slots) -> Reading:
    """One series, read under its lock."""
    with slots.lock:
        return Reading(labels=labels, counts=tuple(slots.counts), total=slots.sums[0], created=slots.created)


class CounterCell:
    """Adds to one counter series."""

    __slots__ = ("_counts", "_lock", "_sums")

    def __init__(self, slots: Slots, _bounds: tuple[float, ...] = ()) -> None:
        self.rebind(slots)

    def rebind(self, slots: Slots) -> None:
        """Add to these slots from now on."""
        self._counts = slots.counts
        self._sums = slots.sums
        self._lock = slots.lock

    def add(self, amount: float = 1) -> None:
        """Add a whole number exactly, or a float; raises ValueError for what would make a counter go down or lie."""
        if not 0 <= amount <= LARGEST:
            raise ValueError(f"a counter grows by a finite amount of zero or more, not by {amount!r}")
        with self._lock:
            if isinstance(amount, int):
                self._counts[0] += amount
            else:
                self._sums[0] += amount


class HistogramCell:
    """Puts values into the buckets of one histogram series. A value equal to a bound lies within it."""

    __slots__ = ("_bounds", "_counts", "_lock", "_sums")

    def __init__(self, slots: Slots, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self.rebind(slots)

    def rebind(self, slots: Slots) -> None:
        """Add to these slots from now on."""
        self._counts = slots.counts
        self._sums = slots.sums
        self._lock = slots.lock

    def observe(self, value: float) -> int:
        """Count one value, and return its bucket; raises ValueError for NaN, a negative or an absurdly large one."""
        if not 0 <= value <= LARGEST:
            raise ValueError(f"a histogram takes finite values of zero or more, not {value!r}")
        index = bisect_left(self._bounds, value)
        with self._lock:
            self._counts[index] += 1
            self._sums[0] += value
        return index

    def observe_with(self, value: float, other: "HistogramCell", second: float) -> int:
        """`observe(value)` here and `observe(second)`, no larger, there: for the price of one lock if both share it."""
        lock, bounds = self._lock, self._bounds
        if other._lock is not lock or other._bounds is not bounds:
            other.observe(second)
            return self.observe(value)
        if 0.0 <= second <= value <= bounds[0]:  # most are; floats compare faster with floats
            index = place = 0
        elif 0.0 <= second <= value <= LARGEST:
            index, place = bisect_left(bounds, value), bisect_left(bounds, second)
        else:
            other.observe(second)
            return self.observe(value)
        try:
            # In here, for a signal handler may raise as soon as the lock is held. `with` costs twice as much.
            lock.acquire()
            self._counts[index] += 1
            self._sums[0] += value
            other._counts[place] += 1
            other._sums[0] += second
        except BaseException:
            with suppress(RuntimeError):  # it was not ours yet
                lock.release()
            raise
        lock.release()
        return index


class Definition(NamedTuple):
    """What a family is; two declarations of one name must agree in all of it."""

    name: str
    help: str
    kind: Literal["counter", "histogram"]
    unit: str  # as the name ends ("seconds", "ms"), or empty
    labels: tuple[str, ...]
    bounds: tuple[float, ...] = ()  # upper bounds without the infinite one

    @property
    def size(self) -> int:
        """Counts per series: one for a counter, one per bucket with the infinite one for a histogram."""
        return len(self.bounds) + 1


Cell = TypeVar("Cell", CounterCell, HistogramCell)


class Family(Generic[Cell]):
    """All series of one name, capped: label sets beyond the cap share one overflow series and are reported."""

    def __init__(
        self,
        definition: Definition,
        storage: Storage,
        make: Callable[[Slots, tuple[float, ...]], Cell],
        *,
        cap: int,
        folded: Callable[[str], None],
    ) -> None:
        """`folded` is told the family's name each time a label set beyond `cap` is folded."""
        self.definition = definition
        self._storage = storage
        self._make: Callable[[Slots, tuple[float, ...]], Cell] = make
        self._cap = cap
        self._folded = folded
        self._cells: dict[tuple[str, ...], Cell] = {}
        self._lock = threading.Lock()
        if not definition.labels:
            self.cell(())

    def cell(self, labels: tuple[str, ...]) -> Cell:
        """The cell of these label values, in the order they were declared."""
        found = self._cells.get(labels)
        return found if found is not None else self._birth(labels)

    def readings(self) -> list[Reading]:
        """Every series of this process as it stands now."""
        return self._storage.readings(self.definition)

    def forked(self) -> None:
        """In a forked child: every cell that somebody holds adds to slots of its own from here on."""
        self._lock = threading.Lock()
        for labels, cell in self._cells.items():
            cell.rebind(self._storage.allot(self.definition, labels))

    def _birth(self, labels: tuple[str, ...]) -> Cell:
        with self._lock:
            if labels not in self._cells and self._storage.full(self.definition, labels, self._cap):
                self._folded(self.definition.name)
                labels = (OVERFLOW_VALUE,) * len(labels)
            if labels not in self._cells:
                slots = self._storage.allot(self.definition, labels)
                self._cells[labels] = self._make(slots, self.definition.bounds)
            return self._cells[labels]


AnyFamily = Family[CounterCell] | Family[HistogramCell]


class Cells:
    """Every family of one process, by name; declaring the same thing twice gives the same family."""

    def __init__(self, storage: Storage | None = None) -> None:
        """`storage` defaults to this process's memory."""
        self._storage: Storage = storage if storage is not None else Memory()
        self._families: dict[str, AnyFamily] = {}
        self._lock = threading.Lock()

    def counter(self, definition: Definition, *, cap: int, folded: Callable[[str], None]) -> Family[CounterCell]:
        """Declare a counter; raises ConflictError if the name means something else already."""
        return self._declared(definition, CounterCell, cap, folded)

    def histogram(self, definition: Definition, *, cap: int, folded: Callable[[str], None]) -> Family[HistogramCell]:
        """Declare a histogram; raises ConflictError if the name means something else already."""
        return self._declared(definition, HistogramCell, cap, folded)

    def _declared(
        self,
        definition: Definition,
        make: Callable[[Slots, tuple[float, ...]], Cell],
        cap: int,
        folded: Callable[[str], None],
    ) -> Family[Cell]:
        with self._lock:
            known = self._families.get(definition.name)
            if known is None:
                known = Family(definition, self._storage, make, cap=cap, folded=folded)
                self._families[definition.name] = known
        _agree(known.definition, definition)
        return known  # type: ignore[return-value]  # equal definitions have equal kinds, which decide the cell's type

    def families(self) -> Iterable[AnyFamily]:
        """Every declared family, in the order of declaration."""
        with self._lock:
            return tuple(self._families.values())

    def own(self) -> list[tuple[Definition, list[Reading]]]:
        """Every declared family with what this process counted."""
        return [(family.definition, family.readings()) for family in self.families()]

    def snapshot(self) -> list[tuple[Definition, list[Reading]]]:
        """Every family that any worker declared, with what all of them counted, in one look."""
        return self._storage.snapshot([family.definition for family in self.families()])

    def forked(self) -> None:
        """In a forked child: count from zero, into slots of its own."""
        self._lock = threading.Lock()
        self._storage.forked()
        for family in self._families.values():
            family.forked()


def _agree(known: Definition, wanted: Definition) -> None:
    if known != wanted:
        raise ConflictError(
            f"metric {wanted.name!r} is declared already as {known}, now as {wanted}: give one of them another name"
        )


def whole(value: float) -> float:
    """`value` as an exact integer where it is one, so that counts print and compare without rounding."""
    return int(value) if math.isfinite(value) and value == int(value) else value
