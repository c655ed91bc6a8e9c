"""Time to mitigation: open incidents are never dropped."""

from fractions import Fraction

import pytest

from figwatch_agent.evaluate.mttr import Mttr, mttr


def test_no_incidents_give_no_figure() -> None:
    assert mttr([], 1000) is None


def test_an_open_incident_counts_at_its_age() -> None:
    assert mttr([(0, 100), (0, 200), (900, None)], 2000) == Mttr(
        count=2,
        open_count=1,
        mean=Fraction(150),
        median=Fraction(150),
        p90=200,
        worst=1100,
        mean_low=Fraction(1400, 3),
    )


def test_while_all_are_open_only_the_lower_bound_is_known() -> None:
    found = mttr([(500, None)], 800)
    assert found == Mttr(count=0, open_count=1, mean=None, median=None, p90=None, worst=300, mean_low=Fraction(300))


def test_the_mean_has_an_upper_bound_only_when_nothing_is_open() -> None:
    closed, still_open = mttr([(0, 10)], 20), mttr([(0, 10), (0, None)], 20)
    assert closed is not None
    assert closed.mean_high == closed.mean_low == 10
    assert still_open is not None
    assert still_open.mean_high is None


@pytest.mark.parametrize(
    ("lasted", "median"), [([7], Fraction(7)), ([1, 9, 4], Fraction(4)), ([1, 2, 9, 9], Fraction(11, 2))]
)
def test_the_median_is_the_middle_or_between_the_middle_two(lasted: list[int], median: Fraction) -> None:
    found = mttr([(0, end) for end in lasted], 100)
    assert found is not None
    assert found.median == median


@pytest.mark.parametrize(("count", "rank"), [(1, 1), (9, 9), (10, 9), (11, 10), (20, 18), (21, 19)])
def test_p90_is_the_nearest_rank(count: int, rank: int) -> None:
    found = mttr([(0, end) for end in range(count, 0, -1)], 100)
    assert found is not None
    assert found.p90 == rank


def test_an_incident_that_starts_in_the_future_has_age_zero() -> None:
    found = mttr([(500, None)], 400)
    assert found is not None
    assert found.worst == 0


def test_an_end_before_the_start_is_refused() -> None:
    with pytest.raises(ValueError, match="before its impact started"):
        mttr([(10, 9)], 100)


def test_an_incident_may_end_where_it_starts() -> None:
    found = mttr([(10, 10)], 100)
    assert found is not None
    assert found.mean == 0
