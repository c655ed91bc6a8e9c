"""What a whole history's births hang on: which dates count as dates, and what they decide."""

import numpy as np
import pytest

from figwatch_agent.evaluate.past_increases import PastIncreases, past_increases
from figwatch_agent.model.batch import Series
from figwatch_agent.model.past import PastTarget, Track

SECOND = 1_000
START = 1_000_000 * SECOND
HUGE = 10**9
"""A first value that cannot have come about since the answer before."""


def track(name: str, *samples: tuple[int, float]) -> Track:
    """Samples as (seconds after the start, value)."""
    return Track(
        series=Series(name=name, labels=()),
        at=np.array([START + second * SECOND for second, _ in samples], dtype=np.int64),
        values=np.array([value for _, value in samples], dtype=np.float64),
    )


def counted(*tracks: Track) -> PastIncreases:
    return past_increases(PastTarget(name="t", tracks=tracks), 2_500, 4_000)


BUSY = track("orders_total", (0, 0), (1, 10), (2, 20), (3, 30))
"""Ten events a second: a newborn may hold a hundred after one."""


def first_of(first: float, *created: float) -> tuple[int, int]:
    """What the first sample of a counter born at second 2 counts, and how many counters started where they stood."""
    tracks = [BUSY, track("jobs_total", (2, first), (3, first))]
    if created:
        tracks.append(track("jobs_created", (2, created[0]), (3, created[-1])))
    found = counted(*tracks)
    [row] = [each for each in found.rows if each.series.name == "jobs_total"]
    return int(row.counts[0]), found.started


def test_without_a_date_what_can_have_come_about_counts() -> None:
    assert first_of(100) == (100, 0)
    assert first_of(101) == (0, 1)


def test_a_date_says_nothing_of_a_series_with_another_ending() -> None:
    counter = track("jobs_total", (0, 1), (1, 2), (2, 3)), track("jobs_running", (0, 1), (1, 2), (2, 3))
    found = counted(*counter, track("jobs_created", (0, 5), (1, 5), (2, 6)))
    assert {row.series.name: row.counts.tolist() for row in found.rows} == {
        "jobs_total": [0, 1, 3],  # made anew
        "jobs_running": [0, 1, 1],
    }


@pytest.mark.parametrize(("first", "counts"), [(110, True), (111, False)])
def test_what_can_have_come_about_follows_the_latest_answers_by_a_tenth(first: int, counts: bool) -> None:
    faster = track("orders_total", (0, 0), (1, 10), (2, 30), (3, 60))  # ten a second, then twenty: eleven, lately
    found = counted(faster, track("jobs_total", (3, first)))
    [row] = [each for each in found.rows if each.series.name == "jobs_total"]
    assert (row.counts.tolist(), found.started) == (([first], 0) if counts else ([0], 1))


@pytest.mark.parametrize(("first", "counts"), [(200, True), (201, False)])
def test_what_was_born_belongs_to_what_its_target_counted_lately(first: int, counts: bool) -> None:
    found = counted(BUSY, track("jobs_total", (2, 100)), track("late_total", (3, first)))  # ten a second, then 110
    [row] = [each for each in found.rows if each.series.name == "late_total"]
    assert (row.counts.tolist(), found.started) == (([first], 0) if counts else ([0], 1))


@pytest.mark.parametrize(
    "second",
    [
        pytest.param(0.0, id="zero"),
        pytest.param(-5.0, id="before the epoch"),
        pytest.param(1e11, id="in three thousand years"),
        pytest.param(float("nan"), id="no number"),
        pytest.param(float("inf"), id="infinite"),
    ],
)
def test_a_date_that_is_none_decides_nothing(second: float) -> None:
    assert first_of(100, second) == (100, 0)
    assert first_of(HUGE, second) == (0, 1)


@pytest.mark.parametrize(
    ("second", "counts"),
    [
        (0.999e11, True),
        (1_000_001.5, True),
        (1_000_000.0, True),
        (999_999.999, False),
        (1.0, False),
        (0.5, False),
        (0.001, False),
    ],
)
def test_a_date_decides_whatever_the_value_is(second: float, counts: bool) -> None:
    for value in (100, HUGE):
        assert first_of(value, second) == ((value, 0) if counts else (0, 1))


def test_a_later_date_is_a_reset_whatever_the_value_says() -> None:
    jobs = track("jobs_total", (0, 5), (1, 9), (2, 9))
    dates = track("jobs_created", (0, 999_000), (1, 999_000), (2, 1_000_001.5))
    found = counted(jobs, dates)
    assert found.rows[0].counts.tolist() == [0, 4, 9]


def test_a_first_date_after_none_is_no_reset() -> None:
    jobs = track("jobs_total", (0, 5), (1, 9), (2, 11))
    dates = track("jobs_created", (1, 999_000), (2, 999_000))
    assert counted(jobs, dates).rows[0].counts.tolist() == [0, 4, 2]


def test_a_date_of_an_instant_without_an_answer_is_left_out() -> None:
    dates = Track(
        series=Series(name="jobs_created", labels=()),
        at=np.array([START + 1_500, START + 2_000], dtype=np.int64),
        values=np.array([1_000_001.5, 999_000.0]),
    )
    found = counted(BUSY, track("jobs_total", (2, HUGE), (3, HUGE)), dates)
    assert found.started == 1


def test_the_second_after_the_epoch_is_a_date_that_another_one_follows() -> None:
    jobs = track("jobs_total", (0, 5), (1, 9))
    assert counted(jobs, track("jobs_created", (0, 0.001), (1, 2.0))).rows[0].counts.tolist() == [0, 9]


def test_a_history_without_samples_counts_nothing() -> None:
    empty = Track(series=Series(name="jobs_total", labels=()), at=np.zeros(0, np.int64), values=np.zeros(0))
    found = counted(empty)
    assert (found.at.tolist(), found.started, found.rows[0].counts.tolist()) == ([], 0, [])
