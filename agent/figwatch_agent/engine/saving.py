"""The engine's state as named sections of bytes. A section is written only when its bytes changed."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.engine.counting import Counter
from figwatch_agent.engine.desk import Desk
from figwatch_agent.engine.excluded_state import exclusions_state, versions
from figwatch_agent.engine.excluding import Excluding
from figwatch_agent.engine.forms import (
    CarriersState,
    Columns,
    CounterState,
    CoverageState,
    DeskState,
    GapState,
    LaneState,
    ReadingsState,
    RingState,
    SeriesState,
    StreamState,
    UnknownState,
    WatchState,
)
from figwatch_agent.engine.measuring import COVERED, Rings
from figwatch_agent.engine.missed import Missed
from figwatch_agent.engine.missed_state import missed_state
from figwatch_agent.engine.packing import pack, pack_row
from figwatch_agent.engine.signals import Signals
from figwatch_agent.engine.unknown import Unknown
from figwatch_agent.engine.uptimes import Uptimes
from figwatch_agent.engine.watching import Watches
from figwatch_agent.evaluate.ring import Row
from figwatch_agent.model.batch import Series, SeriesTable
from figwatch_agent.model.outcome import RingRow

Integers = NDArray[np.int64]
Vanished = dict[Series, tuple[int, int]]


@dataclass(slots=True)
class Parts:
    """Everything of the engine that outlives a restart."""

    rings: Rings
    counter: Counter
    watches: Watches
    signals: Signals
    uptimes: Uptimes
    desk: Desk
    excluding: Excluding
    unknown: Unknown
    missed: Missed
    untimed_total: Integers
    untimed_bad: Integers
    written: dict[str, bytes] = field(default_factory=dict)  # sections as they stand in the store
    pages: dict[str, tuple[SeriesTable, Vanished]] = field(default_factory=dict)  # by scrape target, as written last
    born: dict[str, Integers] = field(default_factory=dict)  # by ring, one instant per column
    strange: list[str] = field(default_factory=list)  # rings whose rows in the store another layout wrote
    gaps: int = 0  # version of the unknown, as written last
    missing: int = 0  # version of what was missed, as written last
    excluded: tuple[int, int] = (0, 0)  # versions of the exclusions, as written last
    keys: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)  # section name and keys of its columns
    packed: tuple[str, Integers, bytes] | None = None  # the newest row: the next may hold the same counts
    carried: int = -1  # carriers in all, as written last: they only become more

    def columns(self, ring: str) -> tuple[str, tuple[str, ...]]:
        """The section that holds the keys of a ring's columns, and the keys."""
        known = self.keys.get(ring)
        if ring == COVERED:  # its columns become more
            if known is None or len(known[1]) != len(self.rings.coverage.ids):
                self._name("ring", ring, [str(each) for each in self.rings.coverage.ids])
        elif known is None:
            self._name("ring", ring, self.rings.columns(ring))
        return self.keys[ring]

    def everybody(self, kind: str) -> tuple[str, tuple[str, ...]]:
        """The section that holds the keys of all streams, watches or lanes, and the keys."""
        if kind not in self.keys:
            catalog = self.rings.catalog
            match kind:
                case "stream":
                    keys = [stream.key for stream in catalog.streams]
                case "watch":
                    keys = [watch.key for watch in catalog.watches]
                case _:
                    keys = self.watches.lanes.keys
            self._name(kind, "all", keys)
        return self.keys[kind]

    def _name(self, kind: str, name: str, keys: list[str]) -> None:
        self.keys[name if kind == "ring" else kind] = columns_name(kind, name, keys), tuple(keys)

    def births(self, ring: str) -> Integers:
        """When each column of a ring was born; 0 for those that were there from the beginning."""
        if ring == COVERED:  # a column that is new has the past of another, or none
            return np.zeros(0, dtype=np.int64)
        return self.born.setdefault(ring, np.zeros(len(self.columns(ring)[1]), dtype=np.int64))


def changed_sections(parts: Parts) -> tuple[tuple[str, bytes], ...]:
    """Sections whose bytes differ from those written last; they count as written from now on."""
    sections = {name: pack(value) for name, value in _sections(parts).items()}
    changed = tuple((name, data) for name, data in sections.items() if parts.written.get(name) != data)
    parts.written.update(changed)
    return changed


def ring_row(parts: Parts, name: str, row: Row) -> RingRow:
    """A row as the store keeps it, with the name of the section that holds its column keys."""
    columns, packed = parts.columns(name)[0], parts.packed
    if packed is None or packed[0] != columns or packed[1] is not row.values:
        packed = parts.packed = columns, row.values, pack_row(columns, row.values)
    return RingRow(ring=name, level=row.level, slot=row.slot, boundary=row.boundary, data=packed[2])


def rewritten(parts: Parts) -> list[RingRow]:
    """Every slot of the rings whose rows another layout wrote, empty ones as well: nothing of these stays behind.

    Once only: they count as written from now on.
    """
    rows: list[RingRow] = []
    for name in parts.strange:
        ring = parts.rings.coverage.ring if name == COVERED else parts.rings.rings[name]
        rows += [
            ring_row(parts, name, ring.row(index, slot))
            for index, level in enumerate(ring.layout)
            for slot in range(level.slots)
        ]
    parts.strange.clear()
    return rows


def columns_name(kind: str, name: str, keys: list[str]) -> str:
    """Sections of column keys are never changed, only joined by others: rows name the one they were written under."""
    return f"columns/{kind}/{name}/{hashlib.sha256(chr(10).join(keys).encode()).hexdigest()[:12]}"


def _sections(parts: Parts) -> dict[str, object]:
    sections: dict[str, object] = {}
    for name, ring in ((COVERED, parts.rings.coverage.ring), *parts.rings.rings.items()):
        columns = _columns(parts, parts.columns(name), sections)
        sections[f"ring/{name}"] = RingState(
            at=ring.at,
            first_tick=parts.rings.first_tick,
            resolutions=tuple(level.resolution for level in ring.layout),
            slots=tuple(level.slots for level in ring.layout),
            columns=columns,
            current=ring.current,
            origin=ring.origin,
            born=parts.births(name),
        )
    for target, memory in sorted(parts.counter.memories.items()):
        sections[f"counters/{target}"] = CounterState(
            at=memory.at, answered=memory.answered, rate=memory.rate, last=memory.last, created=memory.created
        )
        before = parts.pages.get(target)
        if before is None or before[0] is not memory.table or before[1] is not memory.vanished:
            parts.pages[target] = memory.table, memory.vanished
            sections[f"series/{target}"] = SeriesState(
                series=memory.table.series, families=memory.table.families, vanished=tuple(memory.vanished.items())
            )
    if parts.gaps != parts.unknown.version:
        parts.gaps = parts.unknown.version
        sections["unknown"] = unknown_state(parts.unknown, parts.everybody("stream")[1])
    if parts.missing != parts.missed.version:
        parts.missing = parts.missed.version
        sections["missed"] = missed_state(parts.missed)
    if parts.excluded != versions(parts.excluding):
        parts.excluded = versions(parts.excluding)
        sections["exclusions"] = exclusions_state(parts.excluding)
    sections |= _watch_sections(parts)
    carried = sum(map(len, parts.counter.judge.carriers.values()))
    if parts.carried != carried:
        parts.carried = carried
        sections["carriers"] = CarriersState(
            carriers=tuple((key, tuple(sorted(targets))) for key, targets in parts.counter.judge.carriers.items())
        )
    sections["coverage"] = _coverage_state(parts)
    sections["desk"] = _desk_state(parts)
    sections["readings"] = ReadingsState(readings=tuple(parts.desk.readings.values()))
    return sections


def _columns(parts: Parts, columns: tuple[str, tuple[str, ...]], sections: dict[str, object]) -> str:
    """The name of a section of keys, which is written once."""
    name, keys = columns
    if name not in parts.written:
        sections[name] = Columns(keys=keys)
    return name


def unknown_state(unknown: Unknown, keys: Sequence[str]) -> UnknownState:
    """Gaps by the keys of their streams."""
    return UnknownState(
        gaps=tuple(
            GapState(after=gap.after, until=gap.until, streams=tuple(keys[each] for each in gap.streams.tolist()))
            for gap in unknown.gaps
        )
    )


def _watch_sections(parts: Parts) -> dict[str, object]:
    watches, runs, keys = parts.watches, parts.watches.runs, parts.everybody("watch")[1]
    sections: dict[str, object] = {}
    watch_columns, stream_columns, lane_columns = (
        _columns(parts, parts.everybody(kind), sections) for kind in ("watch", "stream", "lane")
    )
    return sections | {
        "watches": WatchState(
            keys=watch_columns,
            start=runs.start,
            last_bad=runs.last_bad,
            run_bad=runs.run_bad,
            run_total=runs.run_total,
            first_failure=runs.first_failure,
            last_failure=runs.last_failure,
            failure_bad=runs.failure_bad,
            failure_total=runs.failure_total,
            cut=watches.cut,
            cut_at=watches.cut_at,
            firing=tuple((keys[index], alert) for index, alert in watches.firing.items()),
        ),
        "lanes": LaneState(
            keys=lane_columns,
            seen_bad=runs.seen_bad,
            seen_total=runs.seen_total,
            statistic=watches.lanes.statistic,
            thresholds=watches.lanes.thresholds,
        ),
        "streams": StreamState(
            keys=stream_columns,
            last_service=watches.last_service,
            last_known=parts.signals.last_known,
            untimed_total=parts.untimed_total,
            untimed_bad=parts.untimed_bad,
            known_until=parts.unknown.known_until,
        ),
    }


def _coverage_state(parts: Parts) -> CoverageState:
    coverage = parts.rings.coverage
    return CoverageState(
        streams=parts.everybody("stream")[0],
        group=coverage.group,
        ids=tuple(coverage.ids),
        parents=tuple(coverage.parents.items()),
        next_id=coverage.next_id,
    )


def _desk_state(parts: Parts) -> DeskState:
    desk, signals = parts.desk, parts.signals
    routes = [route.route.template for route in parts.rings.catalog.routes]
    return DeskState(
        cases=tuple(case.state() for case in desk.cases.values()),
        latched=tuple(desk.latches.latched.items()),
        past=tuple(desk.latches.past),
        silences=tuple(desk.silences),
        baselines=tuple(desk.baselines.items()),
        signals=tuple(desk.signals.items()),
        failing_receivers=tuple(desk.failing_receivers.items()),
        findings=tuple(desk.findings.items()),
        wall_step=desk.wall_step,
        meters=tuple(parts.uptimes.meters.items()),
        last_request=tuple(zip(routes, signals.last_request.tolist(), strict=True)),
    )
