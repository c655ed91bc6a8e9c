"""Exact tests: what counts prove, and what they do not."""

from decimal import Decimal, localcontext
from fractions import Fraction
from math import exp, factorial

import pytest

from figwatch_agent.evaluate.burn_rate import over
from figwatch_agent.evaluate.evidence import (
    _root,
    _stirling_error,
    alpha_for,
    clean_requests_needed,
    lower_tail,
    proportion_bounds,
    rate_ratio_interval,
    rejects_still_burning,
    rejects_within_budget,
    upper_tail,
)

THREE_NINES = Fraction(999, 1000)
BUDGET = 1 - THREE_NINES
ALPHA = Fraction(1, 100_000)


def _tail_in_sixty_digits(bad: int, total: int, p: str) -> float:
    """P(X >= bad) as a plain sum in decimal arithmetic, for counts above the mean."""
    with localcontext() as context:
        context.prec = 60
        ratio = Decimal(p)
        term = (1 - ratio) ** (total - bad)
        for i in range(bad):
            term *= ratio * (total - i) / (i + 1)
        tail, k = Decimal(0), bad
        while term > tail * Decimal("1e-30"):
            tail += term
            term *= ratio * (total - k) / ((1 - ratio) * (k + 1))
            k += 1
        return float(tail)


@pytest.mark.parametrize(
    ("bad", "total", "p"),
    [
        (2, 10, "0.001"),
        (1_100, 10**9, "0.000001"),
        (1_001, 10**9, "0.000001"),  # just above the mean, where the fraction converges slowest
        (11_000, 10**9, "0.00001"),
        (1_300, 10**12, "0.000000001"),
        (50_800, 100_000, "0.5"),
        (51, 52, "0.999"),
        (100_000, 100_050, "0.999"),
    ],
)
def test_tails_hold_nine_digits(bad: int, total: int, p: str) -> None:
    assert upper_tail(bad, total, Fraction(p)) == pytest.approx(_tail_in_sixty_digits(bad, total, p), rel=1e-9, abs=0)


@pytest.mark.parametrize("total", [1, 3, 10**9])
@pytest.mark.parametrize("p", ["0.5", "1e-12", "0.499999999999", "0.999999999999", "0.9999999999999999999"])
def test_all_or_none_keep_the_digits_of_a_ratio_near_one_and_near_nothing(total: int, p: str) -> None:
    with localcontext() as context:
        context.prec = 60
        every, none = Decimal(p) ** total, (1 - Decimal(p)) ** total
    assert upper_tail(total, total, Fraction(p)) == pytest.approx(float(every), rel=1e-9, abs=1e-300)
    assert lower_tail(0, total, Fraction(p)) == pytest.approx(float(none), rel=1e-9, abs=1e-300)


@pytest.mark.parametrize("n", [*range(2, 40), 100, 1000])
def test_stirlings_formula_lacks_what_its_series_says(n: int) -> None:
    with localcontext() as context:
        context.prec = 60
        pi, many = Decimal("3.14159265358979323846264338327950288419716939937510582097494"), Decimal(n)
        formula = (2 * pi * many).ln() / 2 + many * (many.ln() - 1)
        lacks = float(Decimal(factorial(n)).ln() - formula)
    assert _stirling_error(n) == pytest.approx(lacks, rel=0, abs=1e-13 if n < 16 else 3e-16)


def test_a_root_is_found_from_where_the_tail_is_flat_and_then_in_a_few_steps() -> None:
    asked: list[float] = []

    def tail(at: float) -> tuple[float, float]:
        asked.append(at)
        return (1.0, 0.0) if at > 3 else (exp(at), exp(at))

    assert _root(tail, -2.0, 9.0, -10.0, 10.0, rising=True) == -2.0
    assert len(asked) < 6


@pytest.mark.parametrize(("bad", "total"), [(10**12 - 1, 10**12), (700, 1000), (99, 100)])
def test_bounds_of_the_good_ones_mirror_those_of_the_bad_ones(bad: int, total: int) -> None:
    low, high = proportion_bounds(bad, total, Fraction(1, 20))
    mirrored = proportion_bounds(total - bad, total, Fraction(1, 20))
    assert high == 1.0 - mirrored[0]
    assert low == pytest.approx(1.0 - mirrored[1], rel=1e-12)


def test_the_two_tails_of_a_huge_total_leave_nothing_out() -> None:
    total, p = 10**9, Fraction(1, 1000)
    assert lower_tail(999_900, total, p) + upper_tail(999_901, total, p) == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize(
    ("bad", "total", "p", "tail"),
    [
        (0, 10, Fraction(1, 2), 1.0),
        (-1, 10, Fraction(1, 2), 1.0),  # good above total
        (11, 10, Fraction(1, 2), 0.0),
        (1, 10, Fraction(0), 0.0),
        (0, 10, Fraction(0), 1.0),
        (10, 10, Fraction(1), 1.0),
        (0, 0, Fraction(1, 2), 1.0),
        (1, 0, Fraction(1, 2), 0.0),
        (10**6, 10**6, Fraction(1, 2), 0.0),  # smaller than a float can be
    ],
)
def test_tails_at_the_ends_are_exact(bad: int, total: int, p: Fraction, tail: float) -> None:
    assert upper_tail(bad, total, p) == tail


def test_lower_tails_include_their_count() -> None:
    assert lower_tail(0, 2, Fraction(1, 2)) == pytest.approx(0.25, rel=1e-12)
    assert lower_tail(1, 2, Fraction(1, 2)) == pytest.approx(0.75, rel=1e-12)
    assert lower_tail(2, 2, Fraction(1, 2)) == 1.0
    assert lower_tail(-1, 2, Fraction(1, 2)) == 0.0


@pytest.mark.parametrize(("total", "p"), [(-1, Fraction(1, 2)), (1, Fraction(-1, 2)), (1, Fraction(3, 2))])
def test_what_is_no_binomial_is_refused(total: int, p: Fraction) -> None:
    with pytest.raises(ValueError, match="binomial test"):
        upper_tail(1, total, p)


@pytest.mark.parametrize(
    ("streams", "alpha"),
    [
        (1, Fraction(1, 100_000)),
        (5, Fraction(1, 100_000)),  # five streams of 0.2 false pages a year are one a year
        (6, Fraction(1, 120_000)),
        (50, Fraction(1, 1_000_000)),
    ],
)
def test_the_level_is_shared_among_the_streams_of_a_service(streams: int, alpha: Fraction) -> None:
    assert alpha_for(streams) == alpha


def test_a_level_needs_a_stream() -> None:
    with pytest.raises(ValueError, match="at least one paging stream"):
        alpha_for(0)


def test_one_failure_never_rejects() -> None:
    assert not rejects_within_budget(1, 1, 1 - Fraction(1, 10**9), ALPHA)
    assert rejects_within_budget(2, 2, 1 - Fraction(1, 10**9), ALPHA)


def test_evidence_exactly_at_the_level_rejects() -> None:
    quarter = Fraction(1, 4)  # two of two at 1/2
    assert rejects_within_budget(2, 2, Fraction(1, 2), quarter)
    assert not rejects_within_budget(2, 2, Fraction(1, 2), quarter * Fraction(999_999, 1_000_000))


def test_bad_events_beyond_the_total_are_events_too() -> None:
    assert rejects_within_budget(3, 2, THREE_NINES, ALPHA) is rejects_within_budget(3, 3, THREE_NINES, ALPHA)
    assert not rejects_within_budget(2, 0, Fraction(1, 2), ALPHA)


@pytest.mark.parametrize(
    ("requests_an_hour", "failures"),
    [(10, 3), (100, 4), (300, 6), (1_000, 15), (3_600, 52)],
)
def test_a_total_outage_is_caught_within_few_failures(requests_an_hour: int, failures: int) -> None:
    """The failures until both the factor 14.4 and the evidence on one hour are there."""

    def fires(bad: int) -> bool:
        burning = over(bad, requests_an_hour, 0, 0, Fraction(144, 10), THREE_NINES).over
        return burning and rejects_within_budget(bad, requests_an_hour, THREE_NINES, ALPHA)

    assert next(bad for bad in range(1, 100) if fires(bad)) == failures


@pytest.mark.parametrize(
    ("ratio", "needed"),
    [
        (Fraction(20, 100), 14),  # after `early`
        (Fraction(144, 10_000), 207),  # after 14.4 at 99.9 %; 208 by the rule of three
        (Fraction(6, 1_000), 498),  # after 6 at 99.9 %; 500 by the rule of three
        (Fraction(1, 2), 5),
        (Fraction(94, 100), 2),
        (Fraction(96, 100), 1),
        (Fraction(1), 1),
    ],
)
def test_clean_requests_until_recovery_are_the_fewest_that_prove_it(ratio: Fraction, needed: int) -> None:
    assert (1 - ratio) ** needed <= Fraction(5, 100)
    assert needed == 1 or (1 - ratio) ** (needed - 1) > Fraction(5, 100)
    assert clean_requests_needed(ratio) == needed


@pytest.mark.parametrize("ratio", [Fraction(0), Fraction(-1), Fraction(11, 10)])
def test_no_request_proves_recovery_from_no_burn(ratio: Fraction) -> None:
    with pytest.raises(ValueError, match="above 0"):
        clean_requests_needed(ratio)


def test_silence_proves_no_recovery() -> None:
    assert not rejects_still_burning(0, 0, Fraction(1))
    assert not rejects_still_burning(0, 0, Fraction(1), level=Fraction(1))


def test_a_few_failures_need_more_requests_to_prove_recovery() -> None:
    assert rejects_still_burning(0, 14, Fraction(1, 5))
    assert not rejects_still_burning(1, 14, Fraction(1, 5))
    assert rejects_still_burning(1, 22, Fraction(1, 5))


def test_a_stream_at_the_ratio_that_fired_has_not_recovered() -> None:
    assert not rejects_still_burning(200, 1000, Fraction(1, 5))


def test_without_events_a_ratio_may_be_anything() -> None:
    assert proportion_bounds(0, 0, Fraction(1, 20)) == (0.0, 1.0)


def test_bounds_reach_the_ends_when_all_events_are_alike() -> None:
    low, high = proportion_bounds(0, 50, Fraction(1, 20))
    assert low == 0.0
    assert high == pytest.approx(1 - 0.025 ** (1 / 50), rel=1e-12)
    low, high = proportion_bounds(50, 50, Fraction(1, 20))
    assert low == pytest.approx(0.025 ** (1 / 50), rel=1e-12)
    assert high == 1.0


def test_published_bounds_are_reproduced() -> None:
    """Ten of a hundred at 95 %: 4.9005 % to 17.6223 %, as R's binom.test prints it."""
    assert proportion_bounds(10, 100, Fraction(1, 20)) == pytest.approx((0.04900469, 0.17622260), rel=1e-6)


@pytest.mark.parametrize(("bad", "total", "alpha"), [(-1, 2, "0.1"), (3, 2, "0.1"), (1, 2, "0"), (1, -1, "0.1")])
def test_bounds_of_impossible_counts_are_refused(bad: int, total: int, alpha: str) -> None:
    with pytest.raises(ValueError, match="need"):
        proportion_bounds(bad, total, Fraction(alpha))


@pytest.mark.parametrize("total", [1, 7, 1000, 10**9])
def test_bounds_of_huge_and_tiny_totals_keep_their_order(total: int) -> None:
    for bad in {0, 1, total // 1000, total // 2, total - 1, total}:
        low, high = proportion_bounds(bad, total, Fraction(1, 5000))
        assert 0.0 <= low <= bad / total <= high <= 1.0


def test_sixty_deployments_after_twelve_are_five_times_as_many_give_or_take() -> None:
    low, high = rate_ratio_interval(12, 90, 60, 90)
    assert high is not None
    assert (round(low, 1), round(high, 1)) == (2.7, 10.2)


def test_the_ratio_is_one_of_rates_and_not_of_counts() -> None:
    low, high = rate_ratio_interval(12, 90, 60, 450)
    assert high is not None
    assert low < 1 < high


def test_a_base_without_events_leaves_the_ratio_open_above() -> None:
    low, high = rate_ratio_interval(0, 90, 10, 90)
    assert low > 1
    assert high is None


def test_two_counts_of_nothing_leave_the_ratio_open() -> None:
    assert rate_ratio_interval(0, 90, 0, 90) == (0.0, None)


def test_no_events_now_give_a_ratio_from_zero() -> None:
    low, high = rate_ratio_interval(10, 90, 0, 90)
    assert low == 0.0
    assert high is not None
    assert 0 < high < 1


@pytest.mark.parametrize(("t_base", "t_now"), [(0, 1), (1, 0), (-1, 1)])
def test_counting_takes_time(t_base: int, t_now: int) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        rate_ratio_interval(1, t_base, 1, t_now)


def test_a_stricter_level_needs_more_clean_requests() -> None:
    half = Fraction(1, 2)
    assert clean_requests_needed(half, half) == 1
    assert clean_requests_needed(half, Fraction(1, 4)) == 2
    assert clean_requests_needed(half, Fraction(1, 5)) == 3
