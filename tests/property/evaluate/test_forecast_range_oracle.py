"""The earliest and the latest day of zero, against Sen's interval by its definition, in Fractions."""

from fractions import Fraction
from math import ceil

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from figwatch_agent.evaluate.legacy_ratio import Bucket, Requests, forecast_range

Z = Fraction(196, 100)
"""The normal quantile of 95 %, on both sides."""
REQUESTS = 1000
APART = 86_400_000
"""Of two buckets, in milliseconds: small differences between slopes show."""


def middle(values: list[Fraction]) -> Fraction:
    """The median."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def by_definition(ratios: list[Fraction]) -> tuple[int | None, int | None]:
    """As many slopes are left out at either end as leave more inside than Z standard deviations of Kendall's score."""
    count = len(ratios)
    slopes = sorted((ratios[b] - ratios[a]) / (APART * (b - a)) for a in range(count) for b in range(a + 1, count))
    squared = Z * Z * count * (count - 1) * (2 * count + 5) / 18
    out = max(
        (r for r in range(len(slopes)) if len(slopes) - 2 * r > 0 and (len(slopes) - 2 * r) ** 2 > squared), default=0
    )
    if out == 0:
        return None, None
    ends = slopes[out - 1], slopes[-out]
    lines = [(slope, middle([ratio - slope * APART * at for at, ratio in enumerate(ratios)])) for slope in ends]
    earliest, latest = (ceil(-level / slope) if slope < 0 else None for slope, level in lines)
    return earliest, latest


@given(st.lists(st.one_of(st.integers(0, 12), st.integers(0, REQUESTS)), max_size=14))
@example([10, 8, 6, 4, 2])
@example([10, 8, 6, 4])
@example([10, 10, 9, 9, 8, 8, 7, 7])
@example([12, 3, 12, 2, 12, 1, 12, 0, 11])
@example([5] * 8)
@example([5, 5, 5, 5, 5, 4, 5, 5, 5])
@example([10, 8, 7, 5, 4, 2])
@example([1 + 30 * (30 - at) + 37 * at * at % 91 for at in range(25)])  # a hundredth of the quantile more tells
def test_the_range_is_where_the_lines_of_sens_interval_end(legacy: list[int]) -> None:
    buckets = [Bucket(at=APART * at, requests=Requests(legacy=n, total=REQUESTS)) for at, n in enumerate(legacy)]
    assert forecast_range(buckets) == by_definition([Fraction(n, REQUESTS) for n in legacy])


@pytest.mark.parametrize("older", [0, 1, 2])
def test_only_the_newest_sixty_ratios_count(older: int) -> None:
    ratios = [Fraction(1 + 12 * (70 - at) + 37 * at * at % 91, REQUESTS) for at in range(60 + older)]
    buckets = [
        Bucket(at=APART * at, requests=Requests(legacy=int(ratio * REQUESTS), total=REQUESTS))
        for at, ratio in enumerate(ratios)
    ]
    earliest, latest = by_definition(ratios[older:])
    assert earliest is not None
    assert latest is not None
    assert forecast_range(buckets) == (APART * older + earliest, APART * older + latest)
