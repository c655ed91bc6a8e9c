"""Legacy ratio, forecast of zero, and routes that still reach legacy."""

from fractions import Fraction

import pytest

from figwatch_agent.evaluate.legacy_ratio import Bucket, Forecast, NoForecast, Requests, forecast_zero, overall

DAY = 86_400_000


def _days(*legacy: int, total: int = 100) -> list[Bucket]:
    return [Bucket(at=day * DAY, requests=Requests(legacy=n, total=total)) for day, n in enumerate(legacy)]


def test_the_total_is_a_sum_of_counts_and_no_mean_of_ratios() -> None:
    routes = {"/big": Requests(legacy=0, total=900), "/small": Requests(legacy=100, total=100)}
    assert overall(routes).legacy_ratio == Fraction(1, 10)


def test_no_requests_have_no_ratio() -> None:
    assert overall({}).legacy_ratio is None


@pytest.mark.parametrize(("legacy", "total"), [(2, 1), (-1, 1)])
def test_impossible_counts_are_refused(legacy: int, total: int) -> None:
    with pytest.raises(ValueError, match="0 <= legacy <= total"):
        Requests(legacy=legacy, total=total)


def test_a_steady_fall_reaches_zero_on_its_day() -> None:
    assert forecast_zero(_days(80, 60, 40, 20)) == Forecast(at=4 * DAY, reason=None)


def test_one_odd_day_hardly_moves_the_forecast() -> None:
    found = forecast_zero(_days(90, 80, 0, 60, 50, 40, 30))
    assert found == Forecast(at=9 * DAY, reason=None)


def test_the_instant_is_rounded_up() -> None:
    points = [Bucket(at=at, requests=Requests(legacy=n, total=10)) for at, n in ((0, 10), (1, 7), (2, 4))]
    assert forecast_zero(points) == Forecast(at=4, reason=None)


def test_the_order_of_buckets_does_not_matter() -> None:
    assert forecast_zero(_days(80, 60, 40, 20)[::-1]) == Forecast(at=4 * DAY, reason=None)


def test_only_the_newest_sixty_buckets_count() -> None:
    rising = [Bucket(at=(day - 100) * DAY, requests=Requests(legacy=day, total=1000)) for day in range(100)]
    falling = _days(*range(900, 300, -10), total=1000)
    assert len(falling) == 60
    assert forecast_zero(rising + falling) == Forecast(at=90 * DAY, reason=None)


@pytest.mark.parametrize(
    ("buckets", "reason"),
    [
        ([], NoForecast.TOO_FEW),
        (_days(50, 40), NoForecast.TOO_FEW),  # any two points lie on a line
        (_days(50, 50, 50), NoForecast.NOT_FALLING),
        (_days(10, 20, 30), NoForecast.NOT_FALLING),
        (_days(50, 20, 0), NoForecast.ALREADY_ZERO),
        (_days(0), NoForecast.ALREADY_ZERO),
        (_days(90, 60, 30, 1, 1), NoForecast.LEVELLED_OFF),
        (_days(80, 60, 40, 20, 1), NoForecast.LEVELLED_OFF),  # the line is zero on the newest day, which is not
    ],
)
def test_without_a_date_the_reason_is_given(buckets: list[Bucket], reason: NoForecast) -> None:
    assert forecast_zero(buckets) == Forecast(at=None, reason=reason)


def test_days_without_traffic_say_nothing() -> None:
    silent = Bucket(at=4 * DAY, requests=Requests(legacy=0, total=0))
    assert forecast_zero([*_days(80, 70, 60, 50), silent]) == Forecast(at=8 * DAY, reason=None)
