"""The forecast of zero: a date with its range, or why there is none."""

from __future__ import annotations

import pytest

from figwatch_agent.durations import DAY
from figwatch_agent.evaluate.legacy_ratio import Bucket, Requests, forecast_range, forecast_zero
from figwatch_agent.model.history import Axis, Count
from figwatch_agent.report.forecast import forecast_document

START = 20_000 * DAY


def forecast(*legacy: Count, total: int = 100, cut: bool = False) -> dict[str, object]:
    """Of days with so many requests to legacy; ``cut`` leaves the last day unfinished."""
    until = START + len(legacy) * DAY - (DAY // 2 if cut else 0)
    axis = Axis(start=START, step=DAY, slots=len(legacy), until=until)
    return forecast_document(axis, legacy, tuple(None if each is None else total for each in legacy))


def test_a_steady_fall_has_a_date_and_a_range_around_it() -> None:
    found = forecast(90, 79, 71, 60, 49, 41, 30)
    assert str(found["earliest"]) <= str(found["zero_at"]) <= str(found["latest"])
    assert str(found["text"]).startswith("zero on 2024-10-")
    assert found["reason"] is None


def test_a_pace_that_may_be_none_leaves_the_latest_open() -> None:
    found = forecast(50, 55, 40, 52, 38, 49, 44)
    assert found["zero_at"] is not None
    assert found["latest"] is None
    assert "latest open" in str(found["text"])


def test_days_that_were_not_measured_are_left_out() -> None:
    assert forecast(80, None, 40, 20)["zero_at"] == forecast(80, 60, 40, 20)["zero_at"]


def test_an_unfinished_day_is_left_out() -> None:
    assert forecast(80, 60, 40, 0, cut=True)["zero_at"] == forecast(80, 60, 40)["zero_at"]


@pytest.mark.parametrize(
    ("legacy", "reason"),
    [
        ((), "too_few"),
        ((50, 40), "too_few"),
        ((50, 40, 0), "already_zero"),
        ((10, 20, 30), "not_falling"),
        ((90, 60, 30, 1, 1), "levelled_off"),
        ((1_000_002, 1_000_001, 1_000_000), "too_slow"),
    ],
)
def test_without_a_date_there_is_a_reason(legacy: tuple[int, ...], reason: str) -> None:
    found = forecast(*legacy, total=2_000_000 if max(legacy, default=0) > 100 else 100)
    assert (found["reason"], found["zero_at"], found["latest"]) == (reason, None, None)
    assert found["text"]


def test_the_range_holds_the_forecast() -> None:
    points = [
        Bucket(at=day * DAY, requests=Requests(legacy=legacy, total=100))
        for day, legacy in enumerate((90, 82, 69, 63, 48, 41, 29, 22))
    ]
    earliest, latest = forecast_range(points)
    zero = forecast_zero(points).at
    assert zero is not None
    assert earliest is not None
    assert latest is not None
    assert earliest <= zero <= latest


def test_four_points_have_no_range() -> None:
    points = [Bucket(at=day * DAY, requests=Requests(legacy=80 - 20 * day, total=100)) for day in range(4)]
    assert forecast_range(points) == (None, None)
