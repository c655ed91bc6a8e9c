"""How much traffic legacy still serves, on which routes, and when it will serve none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from itertools import combinations
from math import isqrt
from statistics import median

from figwatch_agent.durations import Instant

FEWEST_BUCKETS = 3  # two points lie on a line whatever happens
MOST_BUCKETS = 60  # the newest ones: two months of days are the pace of a migration, older ones its past


@dataclass(frozen=True, kw_only=True, slots=True)
class Requests:
    """Requests seen at the edge on one route or on all of them; shadow traffic is not counted."""

    legacy: int
    total: int  # legacy + service + unknown

    def __post_init__(self) -> None:
        if not 0 <= self.legacy <= self.total:
            raise ValueError(f"requests need 0 <= legacy <= total, got {self.legacy} of {self.total}")

    @property
    def legacy_ratio(self) -> Fraction | None:
        """Legacy / all requests; None without requests."""
        return Fraction(self.legacy, self.total) if self.total else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Bucket:
    """The requests of one day, or of any other equal step."""

    at: Instant  # its middle, or any fixed point of it
    requests: Requests


class NoForecast(StrEnum):
    """Why there is no date."""

    TOO_FEW = "too_few"  # fewer than three buckets with traffic
    ALREADY_ZERO = "already_zero"  # the newest bucket has no legacy traffic
    NOT_FALLING = "not_falling"  # the ratio stands still or grows
    LEVELLED_OFF = "levelled_off"  # the trend ended before now, and there is legacy traffic still


@dataclass(frozen=True, kw_only=True, slots=True)
class Forecast:
    """When the legacy ratio reaches zero if it goes on as it did, or why that cannot be said."""

    at: Instant | None
    reason: NoForecast | None


def overall(routes: Mapping[str, Requests]) -> Requests:
    """All routes as one: the sum of their counts, never a mean of their ratios."""
    return Requests(legacy=sum(r.legacy for r in routes.values()), total=sum(r.total for r in routes.values()))


def forecast_zero(buckets: Sequence[Bucket]) -> Forecast:
    """When the ratio will be zero, by Theil and Sen's line: the median slope of all pairs, in exact arithmetic.

    One odd day hardly moves it. Buckets without traffic say nothing and are left out; the instant is rounded up.
    """
    points = _points(buckets)
    if points and points[-1][1] == 0:
        return Forecast(at=None, reason=NoForecast.ALREADY_ZERO)
    if len(points) < FEWEST_BUCKETS:
        return Forecast(at=None, reason=NoForecast.TOO_FEW)
    slope = median(_slopes(points))
    if slope >= 0:
        return Forecast(at=None, reason=NoForecast.NOT_FALLING)
    zero = _zero(points, slope)
    if zero <= points[-1][0]:
        return Forecast(at=None, reason=NoForecast.LEVELLED_OFF)
    return Forecast(at=zero, reason=None)


def forecast_range(buckets: Sequence[Bucket]) -> tuple[Instant | None, Instant | None]:
    """(earliest, latest) instant of zero: where the lines of Sen's 95 % interval of the slope end.

    None where the interval leaves that side open: with fewer than six points, or where the pace may be none at all.
    """
    points = _points(buckets)
    slopes = sorted(_slopes(points))
    count, pairs = len(points), len(slopes)
    # Kendall's variance without ties, n (n - 1) (2 n + 5) / 18, and 1.96 of its roots on either side of the middle.
    spread = isqrt(196 * 196 * count * (count - 1) * (2 * count + 5) // 18) // 100 + 1
    rank = (pairs - spread) // 2
    if rank < 1:
        return None, None
    steepest, flattest = slopes[rank - 1], slopes[pairs - rank]
    return (
        _zero(points, steepest) if steepest < 0 else None,
        _zero(points, flattest) if flattest < 0 else None,
    )


def _points(buckets: Sequence[Bucket]) -> list[tuple[Instant, Fraction]]:
    ordered = sorted(buckets, key=lambda bucket: bucket.at)
    points = [(bucket.at, ratio) for bucket in ordered if (ratio := bucket.requests.legacy_ratio) is not None]
    return points[-MOST_BUCKETS:]


def _slopes(points: Sequence[tuple[Instant, Fraction]]) -> list[Fraction]:
    return [Fraction(later[1] - early[1], later[0] - early[0]) for early, later in combinations(points, 2)]


def _zero(points: Sequence[tuple[Instant, Fraction]], slope: Fraction) -> Instant:
    """Where a line of this slope, at the median level of the points, is zero; rounded up."""
    level = median(ratio - slope * at for at, ratio in points)
    return -(level.numerator * slope.denominator // (level.denominator * slope.numerator))
