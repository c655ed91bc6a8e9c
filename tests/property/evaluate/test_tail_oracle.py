"""The exact tests against sums of exact binomial terms."""

from fractions import Fraction
from math import comb

from hypothesis import example, given, settings
from hypothesis import strategies as st

from figwatch_agent.evaluate.evidence import (
    clean_requests_needed,
    lower_tail,
    proportion_bounds,
    rate_ratio_interval,
    rejects_still_burning,
    rejects_within_budget,
    upper_tail,
)

PRECISION = Fraction(1, 10**9)
SMALLEST = Fraction(1, 10**300)  # below this a float has fewer digits
NEAR = 1e-9


def _term(k: int, n: int, p: Fraction) -> Fraction:
    return comb(n, k) * p**k * (1 - p) ** (n - k)


def _at_least(k: int, n: int, p: Fraction) -> Fraction:
    return sum((_term(i, n, p) for i in range(max(k, 0), n + 1)), Fraction(0))


def _at_most(k: int, n: int, p: Fraction) -> Fraction:
    return sum((_term(i, n, p) for i in range(k + 1)), Fraction(0))


def _close(found: float, exact: Fraction) -> bool:
    return abs(Fraction(found) - exact) <= exact * PRECISION + SMALLEST * PRECISION


totals = st.integers(0, 120)
ratios = st.one_of(
    st.sampled_from([Fraction(1, 1000), Fraction(1, 200), Fraction(144, 10_000), Fraction(1, 5), Fraction(999, 1000)]),
    st.fractions(Fraction(1, 10_000), Fraction(9_999, 10_000), max_denominator=10_000),
)


@st.composite
def counts(draw: st.DrawFn) -> tuple[int, int]:
    total = draw(totals)
    return draw(st.integers(0, total)), total


@given(counts(), ratios)
def test_tails_equal_the_sum_of_their_terms(count: tuple[int, int], p: Fraction) -> None:
    bad, total = count
    assert _close(upper_tail(bad, total, p), _at_least(bad, total, p))
    assert _close(lower_tail(bad, total, p), _at_most(bad, total, p))


@given(counts(), ratios, st.fractions(Fraction(1, 10**8), Fraction(1, 2), max_denominator=10**8))
def test_decisions_equal_those_of_exact_sums(count: tuple[int, int], p: Fraction, level: Fraction) -> None:
    bad, total = count
    firing, recovering = _at_least(bad, total, p), _at_most(bad, total, p)
    if abs(firing - level) > level * PRECISION:
        assert rejects_within_budget(bad, total, 1 - p, level) is (bad >= 2 and firing <= level)
    if total and abs(recovering - level) > level * PRECISION:
        assert rejects_still_burning(bad, total, p, level) is (recovering <= level)


@given(counts(), st.sampled_from([Fraction(1, 20), Fraction(1, 1000), Fraction(1, 5000), Fraction(1, 10**7)]))
def test_each_bound_leaves_half_the_level_in_its_tail(count: tuple[int, int], alpha: Fraction) -> None:
    bad, total = count
    low, high = proportion_bounds(bad, total, alpha)
    assert 0.0 <= low < high <= 1.0
    if bad:
        assert _at_least(bad, total, Fraction(low * (1 - NEAR))) < alpha / 2
        assert _at_least(bad, total, min(Fraction(low * (1 + NEAR)), Fraction(1))) > alpha / 2
    else:
        assert low == 0.0
    if bad < total:
        assert _at_most(bad, total, Fraction(high * (1 - NEAR))) > alpha / 2
        assert _at_most(bad, total, min(Fraction(high * (1 + NEAR)), Fraction(1))) < alpha / 2
    else:
        assert high == 1.0


@given(st.fractions(Fraction(1, 500), Fraction(999, 1000), max_denominator=1000))
def test_clean_requests_are_the_fewest_whose_silence_is_improbable(ratio: Fraction) -> None:
    needed = clean_requests_needed(ratio)
    level = Fraction(1, 20) * (1 + PRECISION)
    assert (1 - ratio) ** needed <= level
    assert needed == 1 or (1 - ratio) ** (needed - 1) > Fraction(1, 20) * (1 - PRECISION)


@settings(max_examples=50)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 400), st.integers(1, 400))
def test_at_each_end_of_the_interval_of_rates_the_counts_are_just_improbable_enough(
    n_base: int, n_now: int, t_base: int, t_now: int
) -> None:
    low, high = rate_ratio_interval(n_base, t_base, n_now, t_now, Fraction(9, 10))
    assert high is not None

    def share(ratio: float) -> Fraction:
        expected = Fraction(ratio) * t_now
        return expected / (expected + t_base)

    tail, n = Fraction(1, 20), n_base + n_now
    assert abs(_at_least(n_now, n, share(low)) - tail) < tail / 10**7
    assert abs(_at_most(n_now, n, share(high)) - tail) < tail / 10**7


@given(st.integers(10**3, 10**9), st.integers(0, 60), ratios)
def test_large_totals_give_probabilities_that_fall_with_the_count(total: int, bad: int, p: Fraction) -> None:
    tails = [upper_tail(bad + step, total, p) for step in (0, 1, 100)]
    assert 1.0 >= tails[0] >= tails[1] >= tails[2] >= 0.0


@st.composite
def large_counts(draw: st.DrawFn) -> tuple[int, int]:
    total = draw(st.integers(1, 10**8))
    ends = st.integers(0, min(total, 30))
    return draw(st.one_of(st.integers(0, total), ends, ends.map(lambda good: total - good))), total


@settings(max_examples=60)
@given(large_counts(), st.integers(1, 15))
@example((5, 10**13), 3)  # where 1 - p has no digits left for the distance from the mean
@example((24_890_241, 29_841_478), 14)  # a first step so far that the tail there is no float
def test_bounds_of_large_counts_stand_where_their_tail_is_half_the_level(count: tuple[int, int], digits: int) -> None:
    bad, total = count
    alpha = Fraction(1, 10**digits)
    low, high = proportion_bounds(bad, total, alpha)
    assert 0.0 <= low <= bad / total <= high <= 1.0
    if 0 < low < 1 - 1e-6:
        assert abs(upper_tail(bad, total, Fraction(low)) / float(alpha / 2) - 1) < 1e-6
    if 1 - high > 1e-6:
        assert abs(lower_tail(bad, total, Fraction(high)) / float(alpha / 2) - 1) < 1e-6
