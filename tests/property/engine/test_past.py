"""A history that is counted at once is, integer for integer, what a live agent would have counted tick by tick."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from figwatch_agent.durations import Instant
from figwatch_agent.engine.catalog import Catalog, compile_catalog
from figwatch_agent.engine.counting import Counter
from figwatch_agent.engine.past import PastCounter, PastCounts
from figwatch_agent.engine.tally import Tally
from figwatch_agent.model.past import History
from support.past import STEP, batches, counted_services, counted_settings, random_history
from support.world import START

TICKS = 14


def catalog() -> Catalog:
    """Of every SLI that a history can answer."""
    return compile_catalog(counted_services(), counted_settings())


def counted(found: PastCounts, laid_out: Catalog) -> list[Tally]:
    """The tallies that the engine would be handed."""
    counter = Counter(laid_out)
    return [counter.count((), int(now), (found.counted(tick),)) for tick, now in enumerate(found.ticks)]


def live(history: History, ticks: list[Instant], laid_out: Catalog) -> list[Tally]:
    """The tallies of the answers, one tick after the other."""
    counter = Counter(laid_out)
    return [counter.count(answers, now) for now, answers in batches(history, ticks, ticks[0] - STEP)]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**9))
def test_counting_at_once_is_counting_tick_by_tick(seed: int) -> None:
    history = random_history(Random(seed), TICKS)
    laid_out = catalog()
    ticks = [START + place * STEP for place in range(TICKS + 1)]
    past = PastCounter(laid_out).count(history, np.array(ticks), ticks[0] - STEP, STEP * 3 // 2)
    for now, at_once, then in zip(ticks, counted(past, laid_out), live(history, ticks, laid_out), strict=True):
        for part in ("total", "bad", "untimed_total", "untimed_bad", "known", "covered"):
            assert getattr(at_once, part).tolist() == getattr(then, part).tolist(), (part, now - START)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**9), st.integers(2, 5))
def test_a_coarser_tick_counts_the_sum_of_the_finer_ones(seed: int, many: int) -> None:
    history = random_history(Random(seed), TICKS)
    fine = np.array([START + place * STEP for place in range(1, many * TICKS + 1)])
    counter = PastCounter(catalog())
    ones, sums = (
        counter.count(history, ticks, int(fine[0]) - STEP, STEP * 3 // 2) for ticks in (fine, fine[many - 1 :: many])
    )
    assert ones.keys == sums.keys
    for part in ("total", "bad"):
        by_many = getattr(ones, part).reshape(TICKS, many, -1).sum(axis=1)
        assert by_many.tolist() == getattr(sums, part).tolist()


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(st.integers(0, 10**9))
def test_counting_at_once_is_counting_tick_by_tick_in_very_many_histories(seed: int) -> None:
    test_counting_at_once_is_counting_tick_by_tick.hypothesis.inner_test(seed)  # type: ignore[attr-defined]  # hypothesis adds it
