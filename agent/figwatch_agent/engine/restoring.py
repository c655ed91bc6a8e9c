"""The engine's state from what a store kept; what the files no longer name is left out."""

import numpy as np

from figwatch_agent.durations import Instant
from figwatch_agent.engine.cases import Case
from figwatch_agent.engine.desk import closing
from figwatch_agent.engine.excluded_state import exclusions_state, restore_exclusions, versions
from figwatch_agent.engine.forms import (
    CarriersState,
    CounterState,
    DeskState,
    ExclusionsState,
    LaneState,
    ReadingsState,
    SeriesState,
    StreamState,
    UnknownState,
    WatchState,
)
from figwatch_agent.engine.missed_state import MissedState, restore_missed
from figwatch_agent.engine.packing import pack
from figwatch_agent.engine.recalling import recall_rings
from figwatch_agent.engine.saving import Parts
from figwatch_agent.engine.sections import moved, places, section
from figwatch_agent.engine.unknown import Gap
from figwatch_agent.evaluate.increases import CounterMemory
from figwatch_agent.model.batch import SeriesTable
from figwatch_agent.model.incident import Incident
from figwatch_agent.model.outcome import Saved
from figwatch_agent.model.settings import Scrape


def restore(parts: Parts, saved: Saved) -> None:
    """Stand where the engine stood that wrote ``saved``; what the files no longer name is left out."""
    parts.written = dict(saved.sections)
    parts.desk.book.restore(saved.events, saved.baselines)
    recall_rings(parts, saved.ring_rows)
    _restore_exclusions(parts)
    _restore_counters(parts)
    missed = section(parts, "missed", MissedState)
    if missed is not None:
        restore_missed(parts.missed, missed)
    _restore_watches(parts, saved.at)
    _restore_streams(parts)
    _restore_desk(parts, saved.incidents)


def _restore_exclusions(parts: Parts) -> None:
    state = section(parts, "exclusions", ExclusionsState)
    if state is not None:
        restore_exclusions(parts.excluding, state)
        # What the files no longer name is gone from it: then it is written anew.
        if pack(exclusions_state(parts.excluding)) == parts.written["exclusions"]:
            parts.excluded = versions(parts.excluding)


def _restore_counters(parts: Parts) -> None:
    for name in list(parts.written):
        target = name.removeprefix("counters/")
        if target == name or not _asked(parts, target):
            continue
        state, shown = section(parts, name, CounterState), section(parts, f"series/{target}", SeriesState)
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
    state, lanes = section(parts, "watches", WatchState), section(parts, "lanes", LaneState)
    if state is None or lanes is None:
        return
    watches, runs = parts.watches, parts.watches.runs
    at_lanes = places(parts, lanes.keys, parts.everybody("lane"))
    nothing = np.zeros(len(watches.lanes.keys), dtype=np.int64)
    runs.seen_bad, runs.seen_total = (moved(each, at_lanes, nothing) for each in (lanes.seen_bad, lanes.seen_total))
    watches.lanes.restore(
        moved(lanes.statistic, at_lanes, nothing), moved(lanes.thresholds, at_lanes, watches.lanes.thresholds)
    )
    at_watches = places(parts, state.keys, parts.everybody("watch"))
    for name in ("start", "last_bad", "first_failure", "last_failure"):
        getattr(runs, name)[:] = moved(getattr(state, name), at_watches, getattr(runs, name))
    # A watch that is new has seen nothing of what its lane counted.
    for name, seen in (("bad", runs.seen_bad), ("total", runs.seen_total)):
        for since in (f"run_{name}", f"failure_{name}"):
            getattr(runs, since)[:] = moved(getattr(state, since), at_watches, seen[runs.lane])
    watches.cut = moved(state.cut, at_watches, watches.cut)
    if len(state.cut_at):
        watches.cut_at = moved(state.cut_at, at_watches, watches.cut_at)
    index = {watch.key: watch.index for watch in parts.rings.catalog.watches} if state.firing else {}
    watches.restored({index[key]: alert for key, alert in state.firing if key in index}, at or 0)


def _restore_streams(parts: Parts) -> None:
    state = section(parts, "streams", StreamState)
    if state is None:
        return
    at_streams = places(parts, state.keys, parts.everybody("stream"))
    parts.watches.last_service = moved(state.last_service, at_streams, parts.watches.last_service)
    parts.signals.last_known = moved(state.last_known, at_streams, parts.signals.last_known)
    if len(state.known_until):
        parts.unknown.known_until = moved(state.known_until, at_streams, parts.unknown.known_until)
    gaps = section(parts, "unknown", UnknownState)
    index = {stream.key: stream.index for stream in parts.rings.catalog.streams}
    for gap in gaps.gaps if gaps is not None else ():
        streams = [index[key] for key in gap.streams if key in index]
        if streams:
            parts.unknown.gaps.append(Gap(gap.after, gap.until, np.array(streams, dtype=np.int64)))
    parts.untimed_total[:] = moved(state.untimed_total, at_streams, parts.untimed_total)
    parts.untimed_bad[:] = moved(state.untimed_bad, at_streams, parts.untimed_bad)


def _restore_desk(parts: Parts, incidents: tuple[Incident, ...]) -> None:
    state = section(parts, "desk", DeskState)
    readings = section(parts, "readings", ReadingsState)
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
    carriers = section(parts, "carriers", CarriersState)
    parts.counter.judge.restore(
        {
            key: {target for target in targets if _asked(parts, target)}
            for key, targets in (state if carriers is None else carriers).carriers
        }
    )
    parts.uptimes.resume(dict(state.meters))
    requests = dict(state.last_request)
    for route in parts.rings.catalog.routes:
        parts.signals.last_request[route.index] = requests.get(route.route.template, 0)
