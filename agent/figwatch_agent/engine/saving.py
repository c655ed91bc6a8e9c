"""The engine's state as named sections of bytes, and back. A section is written only when its bytes changed."""

import hashlib
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import Instant
from figwatch_agent.engine.cases import Case, CaseState
from figwatch_agent.engine.counting import Counter
from figwatch_agent.engine.desk import Baseline, Desk, Silence, closing
from figwatch_agent.engine.measuring import Rings
from figwatch_agent.engine.signals import Signals
from figwatch_agent.engine.uptimes import Uptimes
from figwatch_agent.engine.watching import Watches
from figwatch_agent.evaluate.increases import CounterMemory
from figwatch_agent.evaluate.uptime import UptimeMeter
from figwatch_agent.evaluate.windows import Row
from figwatch_agent.model.batch import Reading, Series, SeriesTable
from figwatch_agent.model.incident import Alert, Incident
from figwatch_agent.model.outcome import RingRow, Saved
from figwatch_agent.model.settings import Scrape
from figwatch_agent.model.wire import decode, encode

T = TypeVar("T")
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    """Keys of an array's columns, in order."""

    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _RingState:
    at: Instant | None
    first_tick: Instant | None
    resolutions: tuple[int, ...]
    columns: str  # name of the section that holds the keys
    current: NDArray[np.int64]
    origin: NDArray[np.int64]
    born: NDArray[np.int64]  # instant before which a column was not counted; rows from before say nothing about it


@dataclass(frozen=True, slots=True, kw_only=True)
class _CounterState:
    at: Instant | None
    answered: bool
    rate: float
    last: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class _SeriesState:
    series: tuple[Series, ...]
    families: frozenset[str]
    vanished: tuple[tuple[Series, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _WatchState:
    keys: str
    start: NDArray[np.int64]
    last_bad: NDArray[np.int64]
    since_bad: NDArray[np.int64]
    since_total: NDArray[np.int64]
    first_failure: NDArray[np.int64]
    last_failure: NDArray[np.int64]
    clean: NDArray[np.int64]
    statistic: NDArray[np.int64]
    thresholds: NDArray[np.int64]
    cut: NDArray[np.int64]
    firing: tuple[tuple[str, Alert], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _StreamState:
    keys: str
    last_service: NDArray[np.int64]
    last_known: NDArray[np.int64]
    untimed_total: NDArray[np.int64]
    untimed_bad: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class _DeskState:
    cases: tuple[CaseState, ...]
    latched: tuple[tuple[str, str], ...]
    past: tuple[tuple[Instant, str, bool], ...]
    silences: tuple[Silence, ...]
    baselines: tuple[tuple[str, Baseline], ...]
    signals: tuple[tuple[str, Instant], ...]
    failing_receivers: tuple[tuple[str, str], ...]
    findings: tuple[tuple[str, str], ...]
    wall_step: int
    carriers: tuple[tuple[str, tuple[str, ...]], ...]
    meters: tuple[tuple[str, UptimeMeter], ...]
    last_request: tuple[tuple[str, Instant], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _ReadingsState:
    readings: tuple[Reading, ...]


@dataclass(slots=True)
class Parts:
    """Everything of the engine that outlives a restart."""

    rings: Rings
    counter: Counter
    watches: Watches
    signals: Signals
    uptimes: Uptimes
    desk: Desk
    untimed_total: Integers
    untimed_bad: Integers
    written: dict[str, bytes] = field(default_factory=dict)  # sections as they stand in the store
    pages: dict[str, tuple[SeriesTable, dict[Series, int]]] = field(default_factory=dict)  # by target, as written last
    born: dict[str, Integers] = field(default_factory=dict)  # by ring, one instant per column
    keys: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)  # section name and keys of its columns

    def columns(self, ring: str) -> tuple[str, tuple[str, ...]]:
        """The section that holds the keys of a ring's columns, and the keys."""
        if ring not in self.keys:
            keys = self.rings.columns(ring)
            self.keys[ring] = _columns_name("ring", ring, keys), tuple(keys)
        return self.keys[ring]

    def births(self, ring: str) -> Integers:
        """When each column of a ring was born; 0 for those that were there from the beginning."""
        return self.born.setdefault(ring, np.zeros(len(self.columns(ring)[1]), dtype=np.int64))


def changed_sections(parts: Parts) -> tuple[tuple[str, bytes], ...]:
    """Sections whose bytes differ from those written last; they count as written from now on."""
    sections = {name: encode(value).encode() for name, value in _sections(parts).items()}
    changed = tuple((name, data) for name, data in sections.items() if parts.written.get(name) != data)
    parts.written.update(changed)
    return changed


def ring_row(parts: Parts, name: str, row: Row) -> RingRow:
    """A row as the store keeps it: the section with its column keys, a line feed, the counts."""
    head = parts.columns(name)[0].encode()
    return RingRow(
        ring=name, level=row.level, slot=row.slot, boundary=row.boundary, data=head + b"\n" + row.values.tobytes()
    )


def restore(parts: Parts, saved: Saved) -> None:
    """Stand where the engine stood that wrote ``saved``; what the files no longer name is left out."""
    parts.written = dict(saved.sections)
    for name in parts.rings.rings:
        _restore_ring(parts, name, saved)
    _restore_counters(parts)
    _restore_watches(parts)
    _restore_streams(parts)
    _restore_desk(parts, saved.incidents)


def _columns_name(kind: str, name: str, keys: list[str]) -> str:
    """Sections of column keys are never changed, only joined by others: rows name the one they were written under."""
    return f"columns/{kind}/{name}/{hashlib.sha256(chr(10).join(keys).encode()).hexdigest()[:12]}"


def _sections(parts: Parts) -> dict[str, object]:
    sections: dict[str, object] = {}
    for name, ring in parts.rings.rings.items():
        columns, keys = parts.columns(name)
        if columns not in parts.written:
            sections[columns] = _Columns(keys=keys)
        sections[f"ring/{name}"] = _RingState(
            at=ring.at,
            first_tick=parts.rings.first_tick,
            resolutions=tuple(level.resolution for level in ring.layout),
            columns=columns,
            current=ring.current,
            origin=ring.origin,
            born=parts.births(name),
        )
    for target, memory in sorted(parts.counter.memories.items()):
        sections[f"counters/{target}"] = _CounterState(
            at=memory.at, answered=memory.answered, rate=memory.rate, last=memory.last
        )
        before = parts.pages.get(target)
        if before is None or before[0] is not memory.table or before[1] is not memory.vanished:
            parts.pages[target] = memory.table, memory.vanished
            sections[f"series/{target}"] = _SeriesState(
                series=memory.table.series, families=memory.table.families, vanished=tuple(memory.vanished.items())
            )
    sections |= _watch_sections(parts)
    sections["desk"] = _desk_state(parts)
    sections["readings"] = _ReadingsState(readings=tuple(parts.desk.readings.values()))
    return sections


def _watch_sections(parts: Parts) -> dict[str, object]:
    watches, runs = parts.watches, parts.watches.runs
    keys = [watch.key for watch in parts.rings.catalog.watches]
    streams = [stream.key for stream in parts.rings.catalog.streams]
    watch_columns, stream_columns = _columns_name("watch", "all", keys), _columns_name("stream", "all", streams)
    return {
        watch_columns: _Columns(keys=tuple(keys)),
        stream_columns: _Columns(keys=tuple(streams)),
        "watches": _WatchState(
            keys=watch_columns,
            start=runs.start,
            last_bad=runs.last_bad,
            since_bad=runs.since_bad,
            since_total=runs.since_total,
            first_failure=runs.first_failure,
            last_failure=runs.last_failure,
            clean=runs.clean,
            statistic=watches.statistic,
            thresholds=watches.thresholds,
            cut=watches.cut,
            firing=tuple((keys[index], alert) for index, alert in watches.firing.items()),
        ),
        "streams": _StreamState(
            keys=stream_columns,
            last_service=watches.last_service,
            last_known=parts.signals.last_known,
            untimed_total=parts.untimed_total,
            untimed_bad=parts.untimed_bad,
        ),
    }


def _desk_state(parts: Parts) -> _DeskState:
    desk, signals = parts.desk, parts.signals
    routes = [route.route.template for route in parts.rings.catalog.routes]
    return _DeskState(
        cases=tuple(case.state() for case in desk.cases.values()),
        latched=tuple(desk.latches.latched.items()),
        past=tuple(desk.latches.past),
        silences=tuple(desk.silences),
        baselines=tuple(desk.baselines.items()),
        signals=tuple(desk.signals.items()),
        failing_receivers=tuple(desk.failing_receivers.items()),
        findings=tuple(desk.findings.items()),
        wall_step=desk.wall_step,
        carriers=tuple((key, tuple(sorted(targets))) for key, targets in parts.counter.carriers.items()),
        meters=tuple(parts.uptimes.meters.items()),
        last_request=tuple(zip(routes, signals.last_request.tolist(), strict=True)),
    )


def _section(parts: Parts, name: str, kind: type[T]) -> T | None:
    data = parts.written.get(name)
    return None if data is None else decode(kind, data)


def _places(parts: Parts, columns: str, keys: list[str]) -> tuple[Integers, Integers]:
    """(old positions, new positions) of the keys that both the saved columns and ``keys`` have."""
    saved = _section(parts, columns, _Columns)
    old = {key: place for place, key in enumerate(saved.keys)} if saved is not None else {}
    pairs = [(old[key], place) for place, key in enumerate(keys) if key in old]
    return np.array([a for a, _ in pairs], dtype=np.int64), np.array([b for _, b in pairs], dtype=np.int64)


def _moved(values: Integers, places: tuple[Integers, Integers], into: Integers) -> Integers:
    moved = into.copy()
    moved[places[1]] = values[places[0]]
    return moved


def _restore_ring(parts: Parts, name: str, saved: Saved) -> None:
    state = _section(parts, f"ring/{name}", _RingState)
    if state is None:
        return
    ring, keys = parts.rings.rings[name], list(parts.columns(name)[1])
    known: dict[str, tuple[Integers, Integers]] = {}

    def placed(columns: str, values: Integers) -> Integers:
        if columns not in known:
            known[columns] = _places(parts, columns, keys)
        return _moved(values, known[columns], np.zeros(len(keys), dtype=np.int64))

    current = placed(state.columns, state.current)
    born = np.full(len(keys), (state.at or 0) + 1, dtype=np.int64)  # a column that the last tick did not know is new
    parts.born[name] = born = _moved(state.born, known[state.columns], born)
    same = state.resolutions == tuple(level.resolution for level in ring.layout)
    rows: list[Row] = []
    for row in saved.ring_rows if same else ():
        if row.ring == name:
            head, _, data = row.data.partition(b"\n")
            values = placed(head.decode(), np.frombuffer(data, dtype=np.int64))
            rows.append(Row(row.level, row.slot, row.boundary, np.where(born <= row.boundary, values, 0)))
    # Rows of another layout say nothing here: history then begins anew, and coverage says so.
    origin = placed(state.columns, state.origin) if same else current
    ring.restore(state.at, current, origin, rows)
    parts.rings.first_tick = state.first_tick


def _restore_counters(parts: Parts) -> None:
    for name in list(parts.written):
        target = name.removeprefix("counters/")
        if target == name or not _asked(parts, target):
            continue
        state, shown = _section(parts, name, _CounterState), _section(parts, f"series/{target}", _SeriesState)
        if state is not None and shown is not None:
            parts.counter.memories[target] = CounterMemory(
                at=state.at,
                answered=state.answered,
                rate=state.rate,
                table=SeriesTable(shown.series, shown.families),
                last=state.last,
                vanished=dict(shown.vanished),
            )


def _asked(parts: Parts, target: str) -> bool:
    """Whether the files still name a scrape target; one they no longer name must not leave its streams unknown."""
    source = parts.rings.catalog.settings.source
    return not isinstance(source, Scrape) or target in source.targets


def _restore_watches(parts: Parts) -> None:
    state = _section(parts, "watches", _WatchState)
    if state is None:
        return
    watches, runs = parts.watches, parts.watches.runs
    keys = [watch.key for watch in parts.rings.catalog.watches]
    places = _places(parts, state.keys, keys)
    for name in ("start", "last_bad", "since_bad", "since_total", "first_failure", "last_failure", "clean"):
        setattr(runs, name, _moved(getattr(state, name), places, getattr(runs, name)))
    watches.statistic = _moved(state.statistic, places, watches.statistic)
    watches.thresholds = _moved(state.thresholds, places, watches.thresholds)
    watches.cut = _moved(state.cut, places, watches.cut)
    watches.firing = {keys.index(key): alert for key, alert in state.firing if key in keys}


def _restore_streams(parts: Parts) -> None:
    state = _section(parts, "streams", _StreamState)
    if state is None:
        return
    places = _places(parts, state.keys, [stream.key for stream in parts.rings.catalog.streams])
    parts.watches.last_service = _moved(state.last_service, places, parts.watches.last_service)
    parts.signals.last_known = _moved(state.last_known, places, parts.signals.last_known)
    parts.untimed_total[:] = _moved(state.untimed_total, places, parts.untimed_total)
    parts.untimed_bad[:] = _moved(state.untimed_bad, places, parts.untimed_bad)


def _restore_desk(parts: Parts, incidents: tuple[Incident, ...]) -> None:
    state = _section(parts, "desk", _DeskState)
    readings = _section(parts, "readings", _ReadingsState)
    desk = parts.desk
    desk.closed = sorted((i for i in incidents if not i.open), key=closing)
    if readings is not None:
        desk.readings = {reading.name: reading for reading in readings.readings}
    if state is None:
        return
    desk.cases = {case.incident.id: Case.of(case) for case in state.cases}
    desk.latches.latched, desk.latches.past = dict(state.latched), list(state.past)
    desk.silences, desk.baselines = list(state.silences), dict(state.baselines)
    desk.signals, desk.failing_receivers = dict(state.signals), dict(state.failing_receivers)
    desk.findings, desk.wall_step = dict(state.findings), state.wall_step
    parts.counter.carriers = {
        key: {target for target in targets if _asked(parts, target)} for key, targets in state.carriers
    }
    parts.uptimes.resume(dict(state.meters))
    requests = dict(state.last_request)
    for route in parts.rings.catalog.routes:
        parts.signals.last_request[route.index] = requests.get(route.route.template, 0)
