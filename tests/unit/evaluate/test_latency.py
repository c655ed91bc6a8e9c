"""Quantiles from buckets, with the error the buckets leave."""

from fractions import Fraction

import pytest

from figwatch_agent.evaluate.latency import Quantile, quantile, rank_bucket

BOUNDS = (0.1, 0.2, 0.5)
P95 = Fraction(95, 100)


def test_nothing_observed_has_no_quantile() -> None:
    assert quantile(BOUNDS, (0, 0, 0, 0), P95) is None


@pytest.mark.parametrize(
    ("slow", "high"),
    [
        (4, 0.2),
        (5, 0.2),  # exactly 95 of 100 are within 200 ms: the 95th smallest is too
        (6, 0.5),  # one more is slow
    ],
)
def test_the_promised_bound_is_decided_exactly(slow: int, high: float) -> None:
    found = quantile(BOUNDS, (0, 100 - slow, slow, 0), P95)
    assert found is not None
    assert found.high == high


def test_a_quantile_carries_its_bucket_and_a_linear_estimate() -> None:
    found = quantile(BOUNDS, (50, 0, 50, 0), Fraction(3, 4))
    assert found is not None
    assert (found.low, found.high) == (0.2, 0.5)
    assert found.estimate == pytest.approx(0.35)


def test_the_first_bucket_starts_at_zero() -> None:
    found = quantile(BOUNDS, (10, 0, 0, 0), Fraction(1, 2))
    assert found is not None
    assert (found.low, found.high) == (0.0, 0.1)
    assert found.estimate == pytest.approx(0.05)


def test_empty_buckets_at_the_rank_are_passed_over() -> None:
    found = quantile(BOUNDS, (0, 0, 3, 0), Fraction(1, 1000))
    assert found is not None
    assert (found.low, found.high) == (0.2, 0.5)


def test_beyond_the_last_bound_only_the_lower_side_is_known() -> None:
    assert quantile(BOUNDS, (0, 0, 0, 1), P95) == Quantile(low=0.5, high=None, estimate=None)


def test_a_histogram_without_bounds_knows_only_that_durations_are_positive() -> None:
    assert quantile((), (7,), P95) == Quantile(low=0.0, high=None, estimate=None)


def test_the_whole_is_the_last_bucket_in_use() -> None:
    found = quantile(BOUNDS, (1, 1, 0, 0), Fraction(1))
    assert found == Quantile(low=0.1, high=0.2, estimate=0.2)


def test_the_estimate_never_leaves_its_bucket() -> None:
    found = quantile((0.1, 0.3), (0, 3, 0), Fraction(1))
    assert found is not None
    assert found.estimate is not None
    assert found.estimate <= 0.3


@pytest.mark.parametrize(
    ("bounds", "counts", "q", "message"),
    [
        (BOUNDS, (1, 1, 1), P95, "make 4 buckets"),
        ((0.2, 0.1), (1, 1, 1), P95, "ascending"),
        ((0.1, 0.1), (1, 1, 1), P95, "ascending"),
        ((0.1, float("inf")), (1, 1, 1), P95, "finite"),
        ((0.1, float("nan")), (1, 1, 1), P95, "finite"),
        (BOUNDS, (1, -1, 1, 1), P95, "cannot be negative"),
        (BOUNDS, (1, 1, 1, 1), Fraction(0), "above 0"),
        (BOUNDS, (1, 1, 1, 1), Fraction(101, 100), "at most at 1"),
    ],
)
def test_what_is_no_histogram_is_refused(
    bounds: tuple[float, ...], counts: tuple[int, ...], q: Fraction, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        quantile(bounds, counts, q)


@pytest.mark.parametrize("q", [Fraction(0), Fraction(-1, 2), Fraction(1001, 1000)])
def test_the_bucket_of_no_quantile_is_refused(q: Fraction) -> None:
    with pytest.raises(ValueError, match=f"above 0 and at most at 1, got {q}"):
        rank_bucket((1, 1), (0, 0), q)


def test_the_bucket_of_the_whole_is_the_last_in_use() -> None:
    assert rank_bucket((1, 1, 0), (0, 0, 0), Fraction(1)) == (1, 1)


def test_what_was_surely_observed_lies_in_any_bucket() -> None:
    """All of it in the first: the sum is what counts, not what the second bucket holds."""
    assert rank_bucket((3, 0, 0), (0, 0, 0), P95) == (0, 0)
    assert rank_bucket((0, 0, 2), (0, 0, 0), P95) == (2, 2)
    assert rank_bucket((0, 0, 0), (4, 0, 0), P95) is None
