"""Ticks of a replay lie where every sample is taken, and none falls to the next tick because a scrape came late."""

from __future__ import annotations

import numpy as np
import pytest

from figwatch_agent.durations import MINUTE
from figwatch_agent.engine.past_grid import grid, instants_of, step_of
from figwatch_agent.model.batch import Series
from figwatch_agent.model.past import History, PastTarget, Track


def history(*instants: list[int]) -> History:
    """One scrape target for each list."""
    return History(
        targets=tuple(
            PastTarget(
                name=str(number),
                tracks=(
                    Track(
                        series=Series(name="a_total", labels=()),
                        at=np.array(at, dtype=np.int64),
                        values=np.zeros(len(at)),
                    ),
                ),
            )
            for number, at in enumerate(instants)
        )
    )


def ticks(*instants: int, tick: int = 100, start: int | None = None, end: int | None = None) -> list[int]:
    """The grid over these samples."""
    found: list[int] = grid(np.array(instants, dtype=np.int64), tick, start, end).tolist()
    return found


@pytest.mark.parametrize(
    ("found", "step"),
    [
        ([[0, 100, 200, 300]], 100),
        ([[0, 100, 300, 400]], 100),  # one is missing
        ([[0, 101, 199, 301]], 101),  # scrapes come a little early and late
        ([[0, 100, 200], [50, 150, 250]], 100),  # of each target by itself
        ([[7]], MINUTE),  # nobody can tell
        ([], MINUTE),
    ],
)
def test_the_step_is_what_most_samples_are_apart(found: list[list[int]], step: int) -> None:
    assert step_of(history(*found)) == step


def test_instants_of_all_targets_are_put_in_order() -> None:
    assert instants_of(history([0, 100], [50, 100])).tolist() == [0, 50, 100]


def test_samples_at_one_pace_are_ticked_when_they_are_made() -> None:
    assert ticks(1000, 1100, 1300) == [1000, 1100, 1200, 1300]


def test_a_round_of_scrapes_is_ticked_behind_its_last() -> None:
    # phases 0, 2 and 40 of a hundred: ticks lie a tenth of a tick behind 40
    assert ticks(1000, 1040, 1102, 1140, 1200)[:3] == [1050, 1150, 1250]


def test_a_scrape_that_came_early_stays_with_its_round() -> None:
    found = ticks(1000, 1099, 1201, 1300)
    assert [
        sum(low < at <= high for at in (1000, 1099, 1201, 1300)) for low, high in zip([0, *found], found, strict=False)
    ] == [
        1,
        1,
        1,
        1,
    ]


def test_start_and_end_are_kept_to() -> None:
    assert ticks(1000, 1100, 1200, 1300, start=1040, end=1250) == [1040, 1140, 1240]
    assert ticks(1000, 1100, start=1040) == [1040, 1140]


def test_there_are_no_ticks_where_nothing_was_sampled() -> None:
    assert ticks() == []
    assert ticks(1000, start=2000) == []


def test_too_many_ticks_are_refused() -> None:
    with pytest.raises(ValueError, match="too many"):
        ticks(0, 10**12, tick=1)
