"""A history handed out as answers: those that a live agent would have been given, tick by tick."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from figwatch_agent.model.batch import Batch, Series
from figwatch_agent.model.past import History, PastTarget, Track
from figwatch_agent.sources.history_batches import batches_of
from support.past import STEP, batches, random_history
from support.world import START


def everything(series: Series) -> bool:
    return True


def told(batch: Batch) -> object:
    """What an answer says, in whatever order its series stand."""
    rows = zip(batch.table.series, batch.values.tolist(), batch.created.tolist(), strict=True)
    values = frozenset((series, value, created) for series, value, created in rows)
    return batch.target, batch.up, batch.at if batch.up else 0, values


@pytest.mark.parametrize("seed", range(8))
def test_answers_are_those_of_the_scrapes_that_were_kept(seed: int) -> None:
    history = random_history(Random(seed), 12)
    ticks = [START + (place + 1) * STEP - 1 for place in range(12)]
    expected = [{told(batch) for batch in found} for _, found in batches(history, ticks, START - 1)]
    assert [
        {told(batch) for batch in found} for _, found in batches_of(history, ticks, START - 1, everything)
    ] == expected


def test_the_first_tick_takes_the_answer_where_counting_begins_and_a_tick_takes_several() -> None:
    at = np.array([1, 2, 3, 4, 9], dtype=np.int64)
    track = Track(series=Series(name="jobs_total", labels=()), at=at, values=at.astype(np.float64))
    history = History(targets=(PastTarget(name="a", tracks=(track,)),))
    found = list(batches_of(history, [4, 6, 10], 2, everything))
    assert [(now, [(batch.at, batch.up) for batch in answers]) for now, answers in found] == [
        (4, [(2, True), (3, True), (4, True)]),
        (6, [(6, False)]),
        (10, [(9, True)]),
    ]


def test_series_that_nobody_wants_are_left_out() -> None:
    track = Track(series=Series(name="jobs_total", labels=()), at=np.array([1]), values=np.array([1.0]))
    history = History(targets=(PastTarget(name="a", tracks=(track,)),))
    assert list(batches_of(history, [4], 0, lambda series: False)) == [(4, ())]
