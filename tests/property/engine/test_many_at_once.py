"""A history that is lived through many ticks at a time leaves what it leaves when lived through tick by tick."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from figwatch_agent.durations import MINUTE, SECOND
from figwatch_agent.engine import Engine
from support.lived import conf, history, promises, singly, state, told


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


@pytest.mark.slow
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32))
def test_they_do_over_many_random_histories(number: int) -> None:
    compare(number, 400)
