"""The verdict that the bounds of a measurement allow."""

from fractions import Fraction

import pytest

from figwatch_agent.durations import DAY
from figwatch_agent.evaluate.criteria import Judgement, Reason, judge, judge_measured
from figwatch_agent.model.names import Measure, Verdict
from figwatch_agent.model.slo import Criterion
from figwatch_agent.model.target import parse_target
from figwatch_agent.model.view import Measured


@pytest.mark.parametrize(
    ("target", "value", "verdict"),
    [
        # on the limit, and one step to either side
        ("< 15m", "899999", Verdict.MET),
        ("< 15m", "900000", Verdict.MISSED),
        ("<= 15m", "900000", Verdict.MET),
        ("<= 15m", "900001", Verdict.MISSED),
        ("> 99.9%", "0.999", Verdict.MISSED),
        ("> 99.9%", "0.9991", Verdict.MET),
        (">= 99.9%", "0.999", Verdict.MET),
        (">= 99.9%", "0.9989", Verdict.MISSED),
    ],
)
def test_limits_are_exact(target: str, value: str, verdict: Verdict) -> None:
    assert judge(parse_target(target), low=Fraction(value), high=Fraction(value)) == Judgement(verdict=verdict)


@pytest.mark.parametrize(
    ("target", "value", "verdict"),
    [
        # against a baseline of 10
        ("x5", "50", Verdict.MET),
        ("x5", "49", Verdict.MISSED),
        ("+40%", "14", Verdict.MET),
        ("+40%", "13.9", Verdict.MISSED),
        ("-30%", "7", Verdict.MET),
        ("-30%", "7.1", Verdict.MISSED),
        ("kept", "10", Verdict.MET),
        ("kept", "9.9", Verdict.MISSED),
        ("up", "10", Verdict.MISSED),
        ("up", "10.1", Verdict.MET),
    ],
)
def test_changes_are_judged_against_the_baseline(target: str, value: str, verdict: Verdict) -> None:
    judged = judge(parse_target(target), low=Fraction(value), high=Fraction(value), baseline=Fraction(10))
    assert judged == Judgement(verdict=verdict)


def _judged(target: str, low: str | None, high: str | None) -> Judgement:
    return judge(
        parse_target(target),
        low=None if low is None else Fraction(low),
        high=None if high is None else Fraction(high),
        baseline=Fraction(10),
    )


OPEN = Judgement(verdict=Verdict.INCONCLUSIVE, reason=Reason.BOUNDS_STRADDLE)
MET = Judgement(verdict=Verdict.MET)
MISSED = Judgement(verdict=Verdict.MISSED)


@pytest.mark.parametrize(
    ("target", "low", "high", "expected"),
    [
        ("> 99.9%", "0.9991", "1", MET),  # even the worst meets
        ("> 99.9%", "0.5", "1", OPEN),
        ("> 99.9%", "0.5", "0.999", MISSED),  # even the best misses
        ("> 99.9%", "0.9991", None, MET),
        ("> 99.9%", None, "0.9", MISSED),
        ("> 99.9%", None, "1", OPEN),
        ("< 15m", "0", "899999", MET),
        ("< 15m", "0", "900000", OPEN),
        ("< 15m", "0", None, OPEN),  # an open incident may still last
        ("< 15m", "900000", None, MISSED),  # and it has lasted too long already
        ("< 15m", None, "1", MET),
        ("-30%", "6", "8", OPEN),
        ("-30%", "7.1", "8", MISSED),
        ("x5", "27", "102", OPEN),
        ("x5", "50", "102", MET),
    ],
)
def test_bounds_decide(target: str, low: str | None, high: str | None, expected: Judgement) -> None:
    assert _judged(target, low, high) == expected


def test_nothing_measured_is_inconclusive() -> None:
    assert _judged("> 99.9%", None, None) == Judgement(verdict=Verdict.INCONCLUSIVE, reason=Reason.NOT_MEASURED)


@pytest.mark.parametrize(
    ("target", "baseline", "reason"),
    [
        ("x5", None, Reason.NO_BASELINE),
        ("kept", None, Reason.NO_BASELINE),
        ("x5", Fraction(0), Reason.NO_BASELINE),  # five times nothing is nothing
        ("-30%", Fraction(-1), Reason.NO_BASELINE),
        ("kept", Fraction(0), None),
        ("up", Fraction(0), None),
        ("< 15m", None, None),
    ],
)
def test_a_change_needs_a_baseline(target: str, baseline: Fraction | None, reason: Reason | None) -> None:
    assert judge(parse_target(target), low=Fraction(5), high=Fraction(5), baseline=baseline).reason == reason


@pytest.mark.parametrize(
    ("baseline", "verdict"), [("0", Verdict.INCONCLUSIVE), ("1/2", Verdict.MET), ("1", Verdict.MET)]
)
def test_a_multiple_needs_a_baseline_above_zero_however_small(baseline: str, verdict: Verdict) -> None:
    """Five times one half is two and a half."""
    judged = judge(parse_target("x5"), low=Fraction(5), high=Fraction(5), baseline=Fraction(baseline))
    assert judged.verdict is verdict


def test_without_a_baseline_nothing_is_concluded() -> None:
    judged = judge(parse_target("x5"), low=Fraction(5), high=Fraction(5))
    assert judged == Judgement(verdict=Verdict.INCONCLUSIVE, reason=Reason.NO_BASELINE)


@pytest.mark.parametrize(
    ("measure", "target", "low", "high", "baseline", "verdict"),
    [
        (Measure.LATENCY_P95, "< 200ms", 100, 200, None, Verdict.MET),  # the bucket that ends at 200 took 200 or less
        (Measure.LATENCY_P95, "< 200ms", 100, 201, None, Verdict.INCONCLUSIVE),
        (Measure.LATENCY_P95, "< 200ms", 201, None, None, Verdict.MISSED),
        (Measure.LATENCY_P95, "> 200ms", 200, 300, None, Verdict.INCONCLUSIVE),  # only "below" is read as "at most"
        (Measure.MTTR, "< 200ms", 100, 200, None, Verdict.INCONCLUSIVE),  # an exact figure of 200 is not below it
        (Measure.MTTR, "< 200ms", 100, 199, None, Verdict.MET),
        (Measure.DEPLOYMENT_FREQUENCY, "x5", 50, 60, 10, Verdict.MET),
        (Measure.DEPLOYMENT_FREQUENCY, "x5", 50, 60, 11, Verdict.INCONCLUSIVE),
        (Measure.DEPLOYMENT_FREQUENCY, "x5", 50, 60, 13, Verdict.MISSED),
    ],
)
def test_a_figure_is_judged_by_both_its_bounds_and_its_baseline(
    measure: Measure, target: str, low: int, high: int | None, baseline: int | None, verdict: Verdict
) -> None:
    figure = Measured(
        criterion=Criterion(name="it", measure=measure, target=target, over=30 * DAY),
        low=Fraction(low),
        high=None if high is None else Fraction(high),
        estimate=None,
        unit="ms",
        coverage=None,
        counts=None,
        evidence="",
        baseline=None if baseline is None else Fraction(baseline),
    )
    assert judge_measured(parse_target(target), figure).verdict is verdict
