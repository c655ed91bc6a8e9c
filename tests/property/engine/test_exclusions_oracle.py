"""Exclusions against a list of events: what is left, what is set aside, and that both are the whole, exactly."""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from figwatch_agent.durations import HOUR, MINUTE, SECOND, format_instant
from figwatch_agent.engine.measuring import COVERED
from figwatch_agent.model.command import Command, CommandKind
from figwatch_agent.model.exclusion import Exclusion
from figwatch_agent.model.ledger import Key, settle
from figwatch_agent.model.outcome import LedgerEntry
from figwatch_agent.model.wire import encode
from support.engine import Memory, compact, restarted
from support.world import CHAT, MODELS, World
from support.world import settings as configured

UNSHRUNK = (Phase.explicit, Phase.reuse, Phase.generate)  # shrinking a story would take minutes
LENGTHS = (10 * SECOND, 30 * SECOND, MINUTE, 2 * MINUTE, 7 * MINUTE, 30 * MINUTE, HOUR)
NAMES = {"route": [CHAT, MODELS], "slo": ["chat-availability", "chat-latency", "chat-uptime"], "service": ["chat"]}


@dataclass(frozen=True)
class Event:
    """What one tick brought to a stream."""

    at: int
    slo: str
    route: str
    bad: int
    total: int
    covered: int


served = st.tuples(st.integers(0, 30), st.integers(0, 5), st.integers(0, 5))
declared = st.tuples(
    st.sampled_from([(scope, name) for scope, names in NAMES.items() for name in names]),
    st.integers(-400, 120),  # begins so many seconds from now
    st.one_of(st.none(), st.integers(1, 500)),  # lasts; left open
)
moments = st.tuples(
    served,
    served,
    st.sampled_from([1, 3, 7, 10, 19, 25]),  # seconds between ticks
    st.integers(1, 12),  # ticks
    st.one_of(st.none(), st.none(), declared),
    st.sampled_from(["", "", "end", "restart"]),
)
stories = st.lists(moments, min_size=3, max_size=12)


class Story:
    """A world, and the list of what happened in it."""

    def __init__(self, restarts: bool = True) -> None:
        self.world = World((compact(routes=(CHAT, MODELS)),), configured(interval=10 * SECOND))
        self.events: list[Event] = []
        self.cells: dict[Key, LedgerEntry] = {}
        self.memory = Memory() if restarts else None
        for route in (CHAT, MODELS):
            for side in ("service", "legacy"):
                self.world.serve(route=route, side=side, good=1, bad=1, slow=1)
        self.world.tick()

    def play(self, story: list[Any]) -> None:
        for number, moment in enumerate(story):
            self.say(moment, number)
            for tick in range(moment[3]):
                self.tick(moment[0], moment[1], moment[2], "service" if tick % 3 else "legacy")
            if moment[5] == "restart" and self.memory is not None:
                restarted(self.world, self.memory)

    def say(self, moment: Any, number: int) -> None:
        if moment[4] is not None:
            (scope, name), begins, lasts = moment[4]
            said = {"scope": scope, "from": format_instant(self.world.now + begins * SECOND), "who": "ann"}
            if lasts is not None:
                said["to"] = format_instant(self.world.now + (begins + lasts) * SECOND)
            self.wish(CommandKind.EXCLUDE, name, f"x{number}", tuple(sorted(said.items())))
        if moment[5] == "end" and self.exclusions():
            self.wish(CommandKind.END_EXCLUSION, self.exclusions()[0].id, f"e{number}")

    def wish(self, kind: CommandKind, subject: str, name: str, data: tuple[tuple[str, str], ...] = ()) -> None:
        at = self.world.now
        self.world.commands.append(
            Command(id=name, kind=kind, at=at, actor="bob", origin="cli", subject=subject, why="upgrade", data=data)
        )

    def tick(self, chat: Any, models: Any, pause: int, side: str) -> None:
        for route, (good, bad, slow) in ((CHAT, chat), (MODELS, models)):
            self.world.serve(route=route, side=side, good=good, bad=bad, slow=slow)
        outcome = self.world.tick(pause)
        settle(self.cells, outcome)
        timed = pause <= 25  # two and a half intervals
        for route, (good, bad, slow) in ((CHAT, chat), (MODELS, models)):
            if timed:
                total, covered = good + bad + slow, pause * SECOND
                self.events += [
                    Event(self.world.now, "chat-availability", route, bad, total, covered),
                    Event(self.world.now, "chat-latency", route, bad + slow, total, covered),
                ]

    def exclusions(self) -> tuple[Exclusion, ...]:
        return tuple(reversed(self.world.engine._excluding.known.values()))


def concerns(exclusion: Exclusion, event: Event) -> bool:
    names = {"route": event.route, "slo": event.slo, "service": "chat"}
    return names[exclusion.scope.value] == exclusion.name


def is_set_aside(event: Event, exclusions: tuple[Exclusion, ...]) -> bool:
    return any(
        concerns(each, event)
        and each.counted_from < event.at
        and (each.counted_to is None or event.at <= each.counted_to)
        for each in exclusions
    )


def sums(events: list[Event]) -> tuple[int, int, int]:
    return sum(e.bad for e in events), sum(e.total for e in events), sum(e.covered for e in events)


def check_windows(story: Story) -> None:
    rings, now, exclusions = story.world.engine._rings, story.world.now, story.exclusions()
    for length in LENGTHS:
        whole, left = rings.whole(length), rings.streams(length)
        for stream in story.world.engine.catalog.streams:
            check_time(stream, exclusions, now - length, now, int(left.aside[stream.index]))
            if stream.probed:
                continue
            mine = [e for e in story.events if (e.slo, e.route) == (stream.slo.name, stream.route)]
            inside = [e for e in mine if now - length < e.at <= now]
            spent = sums([e for e in inside if not is_set_aside(e, exclusions)])
            for window, exactly in ((whole, sums(inside)), (left, spent)):
                for part, figure in zip((window.bad, window.total, window.covered), exactly, strict=True):
                    low, edge = int(part.inside[stream.index]), int(part.edge[stream.index])
                    assert low <= figure <= low + edge
                    assert edge >= 0


def check_time(stream: Any, exclusions: tuple[Exclusion, ...], since: int, now: int, said: int) -> None:
    """Time of the window that is set aside, from edge to edge of all exclusions."""
    edges = {since, now}
    for each in exclusions:
        edges |= {min(max(edge, since), now) for edge in (each.counted_from, each.counted_to or now)}
    ordered = sorted(edges)
    spans = pairwise(ordered)
    probe = Event(now, stream.slo.name, stream.route, 0, 0, 0)
    assert said == sum(end - begin for begin, end in spans if is_set_aside(replace(probe, at=end), exclusions))


def check_slots(story: Story) -> None:
    """Every slot of ten seconds: nothing is attributed to another time."""
    rings, exclusions = story.world.engine._rings, story.exclusions()
    last = story.world.now // 10_000 * 10_000
    boundaries = np.arange(last - 600_000, last + 1, 10_000, dtype=np.int64)
    slots = np.diff(rings.counted_at("budget", boundaries), axis=0)
    covered = np.diff(rings.counted_at(COVERED, boundaries), axis=0)
    count = len(story.world.engine.catalog.streams)
    for stream in story.world.engine.catalog.streams:
        if stream.probed:
            continue
        mine = [e for e in story.events if (e.slo, e.route) == (stream.slo.name, stream.route)]
        for place, begins in enumerate(boundaries[:-1].tolist()):
            there = [e for e in mine if begins < e.at <= begins + 10_000 and not is_set_aside(e, exclusions)]
            got = tuple(int(slots[place, part * count + stream.index]) for part in (1, 0))
            assert (*got, int(covered[place, stream.index])) == sums(there)


def check_ledger(story: Story) -> None:
    exclusions = story.exclusions()
    for stream in story.world.engine.catalog.streams:
        if stream.probed:
            continue
        mine = [e for e in story.events if (e.slo, e.route) == (stream.slo.name, stream.route)]
        for aside in (False, True):
            cells = [
                each
                for each in story.cells.values()
                if (each.slo, each.route) == (stream.slo.name, stream.route) and bool(each.exclusion) is aside
            ]
            events = [e for e in mine if is_set_aside(e, exclusions) is aside]
            assert (sum(c.bad for c in cells), sum(c.total for c in cells)) == sums(events)[:2]
            for each in cells:
                assert 0 <= each.bad <= each.total


@settings(max_examples=3, phases=UNSHRUNK, deadline=None)
@given(story=stories)
def test_what_is_left_and_what_is_set_aside_are_the_events_of_their_times(story: list[Any]) -> None:
    told = Story()
    told.play(story)
    check_windows(told)
    check_slots(told)
    check_ledger(told)


@settings(max_examples=2, phases=UNSHRUNK, deadline=None)
@given(story=stories)
def test_a_restart_changes_nothing(story: list[Any]) -> None:
    never, often = Story(restarts=False), Story()
    never.play(story)
    often.play(story)
    assert [encode(outcome) for outcome in often.world.outcomes] == [encode(each) for each in never.world.outcomes]


@settings(max_examples=2, phases=UNSHRUNK, deadline=None)
@given(
    story=st.lists(st.tuples(served, served, st.sampled_from([1, 7, 10]), st.integers(1, 12)), min_size=4, max_size=10),
    begins=st.integers(0, 200),
    lasts=st.integers(1, 200),
    scope=st.sampled_from([("route", CHAT), ("slo", "chat-uptime"), ("service", "chat")]),
)
def test_declared_before_or_after_the_fact_is_the_same(story: list[Any], begins: int, lasts: int, scope: Any) -> None:
    before, after = Story(restarts=False), Story(restarts=False)
    start = before.world.now
    data = (
        ("from", format_instant(start + begins * SECOND)),
        ("scope", scope[0]),
        ("to", format_instant(start + (begins + lasts) * SECOND)),
    )
    before.wish(CommandKind.EXCLUDE, scope[1], "x", data)
    for moment in story:
        for told in (before, after):
            told.play([(*moment, None, "")])
    after.wish(CommandKind.EXCLUDE, scope[1], "x", data)
    for told in (before, after):
        told.tick((1, 1, 1), (1, 1, 1), 1, "service")
    seen = [told.world.engine._rings for told in (before, after)]
    for length in LENGTHS:
        windows = [rings.streams(length) for rings in seen]
        for part in ("total", "bad", "covered"):
            for side in ("inside", "edge"):
                first, second = (getattr(getattr(window, part), side) for window in windows)
                assert first.tolist() == second.tolist()
        assert windows[0].aside.tolist() == windows[1].aside.tolist()
        assert seen[0].uptime(length) == seen[1].uptime(length)
        assert seen[0].buckets(length).tolist() == seen[1].buckets(length).tolist()
    assert spent_cells(before) == spent_cells(after)


def spent_cells(story: Story) -> dict[tuple[str, str, bool], tuple[int, int]]:
    found: dict[tuple[str, str, bool], tuple[int, int]] = {}
    for each in story.cells.values():
        key = each.slo, each.route, bool(each.exclusion)
        bad, total = found.get(key, (0, 0))
        found[key] = bad + each.bad, total + each.total
    return {key: counts for key, counts in found.items() if counts != (0, 0)}


@pytest.mark.slow
@settings(max_examples=40, phases=UNSHRUNK, deadline=None)
@given(story=stories)
def test_many_stories_of_exclusions(story: list[Any]) -> None:
    told = Story()
    told.play(story)
    check_windows(told)
    check_slots(told)
    check_ledger(told)
