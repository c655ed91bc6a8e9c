"""Events told late against the same events told in time: every window afterwards is the same, and decisions stand."""

from typing import Any

import numpy as np
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from figwatch_agent.durations import HOUR, MINUTE, SECOND
from figwatch_agent.engine.measuring import COVERED
from figwatch_agent.model.batch import Counted
from figwatch_agent.model.ledger import Key, settle
from figwatch_agent.model.outcome import LedgerEntry, TransitionKind
from figwatch_agent.model.wire import encode
from support.engine import Memory, compact, restarted
from support.world import CHAT, MODELS, World
from support.world import settings as configured

UNSHRUNK = (Phase.explicit, Phase.reuse, Phase.generate)  # shrinking a story would take minutes
KEYS = tuple(f"{slo} {route}" for slo in ("chat-availability", "chat-latency") for route in (CHAT, MODELS))
LENGTHS = (10 * SECOND, MINUTE, 7 * MINUTE, 30 * MINUTE, HOUR)

moments = st.tuples(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40)), min_size=4, max_size=4),  # (bad, good) by key
    st.sampled_from([1, 4, 10, 20]),  # seconds
    st.lists(st.booleans(), min_size=4, max_size=4),  # told late, by key
)
stories = st.lists(moments, min_size=4, max_size=30)


def counted(at: int, moment: Any, told: list[bool]) -> Counted:
    """What is told of one tick; streams that are not are unknown."""
    bad = [pair[0] * told[place] for place, pair in enumerate(moment[0])]
    total = [sum(pair) * told[place] for place, pair in enumerate(moment[0])]
    return Counted(
        keys=KEYS,
        at=at,
        total=np.array(total, dtype=np.int64),
        bad=np.array(bad, dtype=np.int64),
        covered=np.array([moment[1] * SECOND * each for each in told], dtype=np.int64),
    )


class Story:
    def __init__(self) -> None:
        self.world = World((compact(routes=(CHAT, MODELS)),), configured(interval=10 * SECOND))
        self.cells: dict[Key, LedgerEntry] = {}
        self.tick(1, ())

    def tick(self, seconds: int, many: tuple[Counted, ...]) -> None:
        outcome = self.world.tick(seconds, batches=(), probes=(), counted=many)
        settle(self.cells, outcome)

    def counts(self) -> tuple[Any, ...]:
        rings = self.world.engine._rings
        windows = [rings.streams(length) for length in LENGTHS]
        seen = [
            getattr(getattr(window, part), side).tolist()
            for window in windows
            for part in ("total", "bad", "covered")
            for side in ("inside", "edge")
        ]
        last = self.world.now // 10_000 * 10_000
        slots = np.arange(last - 600_000, last + 1, 10_000, dtype=np.int64)
        exactly = [np.diff(rings.counted_at(name, slots), axis=0).tolist() for name in ("budget", COVERED)]
        return seen, exactly


def cells(story: Story) -> dict[Any, tuple[int, int]]:
    found: dict[Any, tuple[int, int]] = {}
    for each in story.cells.values():
        key = each.interval, each.slo, each.route, each.side
        bad, total = found.get(key, (0, 0))
        found[key] = bad + each.bad, total + each.total
    return {key: counts for key, counts in found.items() if counts != (0, 0)}


def played(story: list[Any], restart_at: int) -> tuple[Story, Story, list[Counted]]:
    in_time, late = Story(), Story()
    memory, waiting = Memory(), []
    for number, moment in enumerate(story):
        at = in_time.world.now + moment[1] * SECOND
        in_time.tick(moment[1], (counted(at, moment, [True] * 4),))
        late.tick(moment[1], (counted(at, moment, [not each for each in moment[2]]),))
        waiting.append(counted(at, moment, moment[2]))
        if number == restart_at:
            restarted(late.world, memory)
    return in_time, late, waiting


@settings(max_examples=5, phases=UNSHRUNK, deadline=None)
@given(story=stories, restart_at=st.integers(0, 40), seed=st.randoms(use_true_random=False))
def test_told_late_or_in_time_is_the_same_afterwards(story: list[Any], restart_at: int, seed: Any) -> None:
    in_time, late, waiting = played(story, restart_at)
    before = [encode(each) for each in late.world.outcomes]
    seed.shuffle(waiting)
    again = tuple(waiting)
    for told, many in ((in_time, ()), (late, again)):
        told.tick(1, many)
    assert late.counts() == in_time.counts()
    assert cells(late) == cells(in_time)
    assert [encode(each) for each in late.world.outcomes[:-1]] == before
    memory = Memory()
    restarted(late.world, memory)
    assert late.counts() == in_time.counts()
    late.tick(1, again)  # what is known already counts once
    in_time.tick(1, ())
    assert late.counts() == in_time.counts()
    assert cells(late) == cells(in_time)
    if any(any(moment[2]) for moment in story):
        assert any("known already" in text for text in late.world.said(TransitionKind.FINDING))


def test_bad_events_from_before_a_resolve_do_not_fire_the_next_alert() -> None:
    story = Story()
    world = story.world
    calm = [[(0, 40)] * 4, 10, [False] * 4]
    for _ in range(6):
        story.tick(10, (counted(world.now + 10_000, calm, [True] * 4),))
    lost = world.now + 10_000
    story.tick(10, (counted(lost, calm, [False] * 4),))
    outage = [[(40, 0)] * 4, 10, [True] * 4]
    for _ in range(4):
        story.tick(10, (counted(world.now + 10_000, outage, [True] * 4),))
    opened = len(world.said(TransitionKind.INCIDENT_OPENED))
    assert opened
    for _ in range(60):
        story.tick(10, (counted(world.now + 10_000, calm, [True] * 4),))
    resolved = len(world.said(TransitionKind.INCIDENT_RESOLVED))
    assert resolved == opened
    for _ in range(3):
        many = (counted(lost, outage, [True] * 4), counted(world.now + 10_000, calm, [True] * 4))
        story.tick(10, many)
    assert len(world.said(TransitionKind.INCIDENT_OPENED)) == opened


def test_what_lies_before_the_first_tick_is_refused_and_told() -> None:
    story = Story()
    moment = [[(1, 1)] * 4, 10, [True] * 4]
    story.tick(1, (counted(story.world.now - HOUR, moment, [True] * 4),))
    assert any("before what is kept" in text for text in story.world.said(TransitionKind.FINDING))
    assert not story.cells
