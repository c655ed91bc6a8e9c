"""A history that is lived through many ticks at a time leaves what it leaves when lived through tick by tick."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from figwatch_agent.durations import MINUTE, SECOND, Instant
from figwatch_agent.engine import Engine
from figwatch_agent.engine.cases import Case
from figwatch_agent.engine.desk import Notes
from figwatch_agent.engine.past import PastCounts
from figwatch_agent.engine.tally import Tally
from figwatch_agent.model.command import Command
from figwatch_agent.model.inputs import Inputs
from figwatch_agent.model.outcome import TransitionKind
from support.lived import conf, history, promises, singly, state, told
from support.world import START


def outage(engine: Engine, slo: str, places: range, ticks: int) -> PastCounts:
    """Everything is well, but for one SLO that fails by half for some ticks."""
    counts = history(engine, np.random.default_rng(1), ticks, MINUTE)
    total = np.full_like(counts.total, 600)
    bad = np.zeros_like(total)
    column = next(place for place, key in enumerate(counts.keys) if key.startswith(slo))
    bad[places.start : places.stop, column] = 300
    at = START - START % MINUTE + MINUTE * np.arange(1, ticks + 1, dtype=np.int64)
    covered = np.full_like(counts.covered, MINUTE)
    return replace(counts, ticks=at, total=total, bad=bad, covered=covered, untimed={})


def compare(number: int, ticks: int) -> int:
    """Compare both ways over one random history; says how many ticks were skipped."""
    chance = np.random.default_rng(number)
    step = int(chance.choice([MINUTE, MINUTE, 30 * SECOND, 5 * MINUTE]))
    services, settings_ = promises(chance), conf(step, str(chance.choice(["default", "compact"])))
    plain, fast = (Engine(services, settings_, keeps_state=False) for _ in range(2))
    counts = history(plain, chance, ticks, step)
    place, lived = 0, 0
    while place < ticks:
        places = range(place, min(place + int(chance.choice([1, 7, 100, 400])), ticks))
        outcomes = list(fast.advance_many(counts, places))
        lived += len(outcomes)
        assert told(iter(outcomes)) == told(singly(plain, counts, places))
        if chance.random() < 1 / 3:
            assert state(fast) == state(plain)
        if chance.random() < 1 / 8 and places.stop < ticks:
            place = places.stop
            outcomes = list(singly(fast, counts, range(place, place + 1)))
            assert told(iter(outcomes)) == told(singly(plain, counts, range(place, place + 1)))
            places = range(place, place + 1)
        place = places.stop
    assert state(fast) == state(plain)
    return ticks - lived


@seed(7)
@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32))
def test_many_ticks_at_once_leave_the_same_state_alerts_and_ledger(number: int) -> None:
    compare(number, 120)


def test_quiet_ticks_are_skipped_in_an_ordinary_history() -> None:
    assert compare(3, 150) > 75


def test_ticks_while_a_page_is_open_are_lived_through_together(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, fast = (Engine(promises(np.random.default_rng(5)), conf(MINUTE, "default"), keeps_state=False) for _ in "12")
    counts = outage(plain, "own-1", range(100, 140), 200)
    expected = told(singly(plain, counts, range(200)))
    alone: list[Instant] = []
    weigh = fast._guard.weigh

    def weighed(
        tally: Tally, inputs: Inputs, approvals: list[tuple[Case, Command]], now: Instant, notes: Notes
    ) -> None:
        alone.append(now)
        weigh(tally, inputs, approvals, now, notes)

    monkeypatch.setattr(fast._guard, "weigh", weighed)
    outcomes = list(fast.advance_many(counts, range(200)))
    assert told(iter(outcomes)) == expected
    assert state(fast) == state(plain)
    fired = next(
        each.at for each in outcomes if any(one.kind is TransitionKind.ALERT_FIRED for one in each.transitions)
    )
    assert fired < counts.ticks[105]
    assert sum(counts.ticks[105] <= now < counts.ticks[140] for now in alone) < 18


@pytest.mark.slow
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32))
def test_they_do_over_many_random_histories(number: int) -> None:
    compare(number, 400)
