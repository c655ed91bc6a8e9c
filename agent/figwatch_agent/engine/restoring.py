"""The engine's state from what a store kept; what the files no longer name is left out."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import Instant
from figwatch_agent.engine.cases import Case
from figwatch_agent.engine.desk import closing
from figwatch_agent.engine.excluded_state import exclusions_state, restore_exclusions, versions
from figwatch_agent.engine.forms import (
    Columns,
    CounterState,
    CoverageState,
    DeskState,
    ExclusionsState,
    LaneState,
    ReadingsState,
    RingState,
    SeriesState,
    StreamState,
    UnknownState,
    WatchState,
)
from figwatch_agent.engine.measuring import COVERED
from figwatch_agent.engine.saving import Parts
from figwatch_agent.engine.unknown import Gap
from figwatch_agent.evaluate.increases import CounterMemory
from figwatch_agent.evaluate.windows import Row
from figwatch_agent.model.batch import SeriesTable
from figwatch_agent.model.incident import Incident
from figwatch_agent.model.outcome import Saved
from figwatch_agent.model.settings import Scrape
from figwatch_agent.model.wire import decode, encode

T = TypeVar("T")
Integers = NDArray[np.int64]


def restore(parts: Parts, saved: Saved) -> None:
    """Stand where the engine stood that wrote ``saved``; what the files no longer name is left out."""
    parts.written = dict(saved.sections)
    parts.desk.book.restore(saved.events, saved.baselines)
    _restore_coverage(parts, saved)
    for name in parts.rings.rings:
        _restore_ring(parts, name, saved)
    _restore_exclusions(parts)
    _restore_counters(parts)
    _restore_watches(parts, saved.at)
    _restore_streams(parts)
    _restore_desk(parts, saved.incidents)


def _section(parts: Parts, name: str, kind: type[T]) -> T | None:
    data = parts.written.get(name)
    return None if data is None else decode(kind, data)


def _places(parts: Parts, columns: str, keys: list[str]) -> tuple[Integers, Integers]:
    """(old positions, new positions) of the keys that both the saved columns and ``keys`` have."""
    saved = _section(parts, columns, Columns)
    old = {key: place for place, key in enumerate(saved.keys)} if saved is not None else {}
    pairs = [(old[key], place) for place, key in enumerate(keys) if key in old]
    return np.array([a for a, _ in pairs], dtype=np.int64), np.array([b for _, b in pairs], dtype=np.int64)


def _moved(values: Integers, places: tuple[Integers, Integers], into: Integers) -> Integers:
    moved = into.copy()
    moved[places[1]] = values[places[0]]
    return moved


def _restore_exclusions(parts: Parts) -> None:
    state = _section(parts, "exclusions", ExclusionsState)
    if state is not None:
        restore_exclusions(parts.excluding, state)
        # What the files no longer name is gone from it: then it is written anew.
        if encode(exclusions_state(parts.excluding)).encode() == parts.written["exclusions"]:
            parts.excluded = versions(parts.excluding)


def _restore_ring(parts: Parts, name: str, saved: Saved) -> None:
    state = _section(parts, f"ring/{name}", RingState)
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
    rows: list[Row] = []
    for row in saved.ring_rows:
        if row.ring == name:
            head, _, data = row.data.partition(b"\n")
            values = placed(head.decode(), np.frombuffer(data, dtype=np.int64))
            rows.append(Row(row.level, row.slot, row.boundary, np.where(born <= row.boundary, values, 0)))
    ring.restore(state.at, current, placed(state.columns, state.origin), rows, state.resolutions)
    parts.rings.first_tick = state.first_tick


def _restore_coverage(parts: Parts, saved: Saved) -> None:
    state, ring = _section(parts, "coverage", CoverageState), _section(parts, f"ring/{COVERED}", RingState)
    if state is None or ring is None:
        return
    coverage = parts.rings.coverage
    places = _places(parts, state.streams, [stream.key for stream in parts.rings.catalog.streams])
    group = _moved(state.group, places, np.full(len(coverage.group), -1, dtype=np.int64))
    coverage.restore(group, state.ids, dict(state.parents), state.next_id)
    known: dict[str, list[int]] = {}

    def placed(columns: str, values: Integers) -> Integers:
        """Of every column, or of the nearest one that it was split from; the last value, zero, where there is none."""
        if columns not in known:
            section = _section(parts, columns, Columns)
            at = {int(key): place for place, key in enumerate(section.keys)} if section is not None else {}
            known[columns] = [
                next((at[each] for each in coverage.ancestry(column) if each in at), -1)
                for column in range(len(coverage.ids))
            ]
        return np.append(values, 0)[known[columns]]

    rows: list[Row] = []
    for row in saved.ring_rows:
        if row.ring == COVERED:
            head, _, data = row.data.partition(b"\n")
            rows.append(Row(row.level, row.slot, row.boundary, placed(head.decode(), np.frombuffer(data, np.int64))))
    coverage.ring.restore(
        ring.at, placed(ring.columns, ring.current), placed(ring.columns, ring.origin), rows, ring.resolutions
    )


def _restore_counters(parts: Parts) -> None:
    for name in list(parts.written):
        target = name.removeprefix("counters/")
        if target == name or not _asked(parts, target):
            continue
        state, shown = _section(parts, name, CounterState), _section(parts, f"series/{target}", SeriesState)
        if state is not None and shown is not None:
            parts.counter.memories[target] = CounterMemory(
                at=state.at,
                answered=state.answered,
                rate=state.rate,
                table=SeriesTable(shown.series, shown.families),
                last=state.last,
                created=state.created,
                vanished=dict(shown.vanished),
            )


def _asked(parts: Parts, target: str) -> bool:
    """Whether the files still name a scrape target; one they no longer name must not leave its streams unknown."""
    source = parts.rings.catalog.settings.source
    return not isinstance(source, Scrape) or target in source.targets


def _restore_watches(parts: Parts, at: Instant | None) -> None:
    state, lanes = _section(parts, "watches", WatchState), _section(parts, "lanes", LaneState)
    if state is None or lanes is None:
        return
    watches, runs = parts.watches, parts.watches.runs
    places = _places(parts, lanes.keys, watches.lanes.keys)
    nothing = np.zeros(len(watches.lanes.keys), dtype=np.int64)
    runs.seen_bad, runs.seen_total = (_moved(each, places, nothing) for each in (lanes.seen_bad, lanes.seen_total))
    watches.lanes.restore(
        _moved(lanes.statistic, places, nothing), _moved(lanes.thresholds, places, watches.lanes.thresholds)
    )
    keys = [watch.key for watch in parts.rings.catalog.watches]
    places = _places(parts, state.keys, keys)
    for name in ("start", "last_bad", "first_failure", "last_failure"):
        setattr(runs, name, _moved(getattr(state, name), places, getattr(runs, name)))
    # A watch that is new has seen nothing of what its lane counted.
    for name, seen in (("bad", runs.seen_bad), ("total", runs.seen_total)):
        for since in (f"run_{name}", f"failure_{name}"):
            setattr(runs, since, _moved(getattr(state, since), places, seen[runs.lane]))
    watches.cut = _moved(state.cut, places, watches.cut)
    if len(state.cut_at):
        watches.cut_at = _moved(state.cut_at, places, watches.cut_at)
    watches.restored({keys.index(key): alert for key, alert in state.firing if key in keys}, at or 0)


def _restore_streams(parts: Parts) -> None:
    state = _section(parts, "streams", StreamState)
    if state is None:
        return
    places = _places(parts, state.keys, [stream.key for stream in parts.rings.catalog.streams])
    parts.watches.last_service = _moved(state.last_service, places, parts.watches.last_service)
    parts.signals.last_known = _moved(state.last_known, places, parts.signals.last_known)
    if len(state.known_until):
        parts.unknown.known_until = _moved(state.known_until, places, parts.unknown.known_until)
    gaps = _section(parts, "unknown", UnknownState)
    index = {stream.key: stream.index for stream in parts.rings.catalog.streams}
    for gap in gaps.gaps if gaps is not None else ():
        streams = [index[key] for key in gap.streams if key in index]
        if streams:
            parts.unknown.gaps.append(Gap(gap.after, gap.until, np.array(streams, dtype=np.int64)))
    parts.untimed_total[:] = _moved(state.untimed_total, places, parts.untimed_total)
    parts.untimed_bad[:] = _moved(state.untimed_bad, places, parts.untimed_bad)


def _restore_desk(parts: Parts, incidents: tuple[Incident, ...]) -> None:
    state = _section(parts, "desk", DeskState)
    readings = _section(parts, "readings", ReadingsState)
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
    parts.counter.judge.restore(
        {key: {target for target in targets if _asked(parts, target)} for key, targets in state.carriers}
    )
    parts.uptimes.resume(dict(state.meters))
    requests = dict(state.last_request)
    for route in parts.rings.catalog.routes:
        parts.signals.last_request[route.index] = requests.get(route.route.template, 0)
