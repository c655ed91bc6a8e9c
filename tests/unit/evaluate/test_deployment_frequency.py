"""One rule counts deployments; the counted ratio is exact and its interval stands beside it."""

from __future__ import annotations

from fractions import Fraction

import pytest

from figwatch_agent.durations import DAY
from figwatch_agent.evaluate.brought import brought
from figwatch_agent.evaluate.deployment_frequency import Deployment, Frequency, counted


def deployed(id: str, day: int, *, service: str = "chat", succeeded: bool = True) -> Deployment:
    """One that ended on a day."""
    return Deployment(id=id, service=service, at=day * DAY, succeeded=succeeded)


@pytest.mark.parametrize(
    ("deployments", "service", "count"),
    [
        ([], "chat", 0),
        ([deployed("a", 2), deployed("b", 2)], "chat", 2),
        ([deployed("a", 2), deployed("a", 3)], "chat", 1),  # told twice
        ([deployed("a", 2, succeeded=False)], "chat", 0),  # it failed
        ([deployed("a", 2, succeeded=False), deployed("a", 3)], "chat", 1),  # and then succeeded
        ([deployed("a", 2), deployed("a", 2, service="models")], "chat", 1),  # of another service
        ([deployed("a", 2), deployed("a", 2, service="models")], "", 2),  # an id is one's own service's
        ([deployed("a", 1)], "chat", 0),  # the window begins after day 1
        ([deployed("a", 5)], "chat", 1),  # and ends with day 5
        ([deployed("a", 6)], "chat", 0),
        ([deployed("a", 1), deployed("a", 3)], "chat", 0),  # it succeeded before the window
    ],
)
def test_a_deployment_counts_once_when_it_succeeds(deployments: list[Deployment], service: str, count: int) -> None:
    assert counted(deployments, DAY, 5 * DAY, service) == count


def test_twelve_and_then_sixty_are_five_times_as_many_and_the_interval_is_shown() -> None:
    before, now = Frequency(count=12, over=30 * DAY), Frequency(count=60, over=30 * DAY)
    low, high = now.interval(before)
    assert now.times(before) == 5
    assert high is not None
    assert (round(low, 1), round(high, 1)) == (2.7, 10.2)


def test_windows_may_differ_in_length() -> None:
    assert Frequency(count=10, over=10 * DAY).times(Frequency(count=6, over=30 * DAY)) == 5
    assert Frequency(count=1, over=3 * DAY).per_day == Fraction(1, 3)


def test_no_multiple_of_nothing_says_anything() -> None:
    nothing = Frequency(count=0, over=DAY)
    assert Frequency(count=3, over=DAY).times(nothing) is None
    assert Frequency(count=3, over=DAY).interval(nothing)[1] is None


def test_figures_that_people_brought_have_an_exact_mean() -> None:
    assert brought([]) is None
    found = brought([Fraction(1), Fraction(1, 2), Fraction(2)])
    assert found is not None
    assert (found.mean, found.lowest, found.highest, found.newest) == (
        Fraction(7, 6),
        Fraction(1, 2),
        Fraction(2),
        Fraction(2),
    )


@pytest.mark.parametrize(("count", "over"), [(-1, DAY), (1, 0), (1, -DAY)])
def test_a_frequency_needs_a_count_and_a_time(count: int, over: int) -> None:
    with pytest.raises(ValueError, match=f"got {count} in {over} ms"):
        Frequency(count=count, over=over)


def test_a_frequency_of_nothing_in_a_millisecond_is_one() -> None:
    assert Frequency(count=0, over=1).per_day == 0


def test_without_a_service_all_are_counted() -> None:
    assert counted([deployed("a", 2), deployed("b", 2, service="models")], DAY, 5 * DAY) == 2


def test_the_mean_is_a_fraction_and_all_are_counted() -> None:
    found = brought([Fraction(1), Fraction(2)])
    assert found is not None
    assert (found.count, found.lowest, found.highest) == (2, Fraction(1), Fraction(2))
    assert found.mean == Fraction(3, 2)
