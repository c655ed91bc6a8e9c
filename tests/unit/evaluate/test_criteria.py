"""Targets: their grammar, and the verdict that the bounds of a measurement allow."""

from fractions import Fraction

import pytest

from figwatch_agent.evaluate.criteria import (
    Form,
    Judgement,
    Measured,
    Reason,
    Target,
    TargetError,
    Unit,
    Verdict,
    judge,
    parse_target,
)


@pytest.mark.parametrize(
    ("text", "form", "unit", "value"),
    [
        ("< 15m", Form.BELOW, Unit.MILLISECONDS, "900000"),
        ("<200ms", Form.BELOW, Unit.MILLISECONDS, "200"),
        ("> 99.9%", Form.ABOVE, Unit.RATIO, "0.999"),
        (">= 99.9%", Form.AT_LEAST, Unit.RATIO, "0.999"),
        ("<= 0", Form.AT_MOST, Unit.NUMBER, "0"),
        ("> 4.5", Form.ABOVE, Unit.NUMBER, "4.5"),
        ("x5", Form.TIMES, Unit.BASELINE, "5"),
        ("x1.5", Form.TIMES, Unit.BASELINE, "1.5"),
        ("+40%", Form.GROWN, Unit.BASELINE, "1.4"),
        ("-30%", Form.SHRUNK, Unit.BASELINE, "0.7"),
        ("-100%", Form.SHRUNK, Unit.BASELINE, "0"),
        ("kept", Form.KEPT, Unit.BASELINE, "1"),
        ("up", Form.UP, Unit.BASELINE, "1"),
    ],
)
def test_a_target_is_read_exactly(text: str, form: Form, unit: Unit, value: str) -> None:
    assert parse_target(f"  {text} ") == Target(text=text, form=form, unit=unit, value=Fraction(value))


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "starts with none of"),
        ("15m", "starts with none of"),
        ("= 3", "starts with none of"),
        ("Kept", "starts with none of"),
        ("<", "starts with none of"),
        ("< 15 m", "starts with none of"),
        ("< fast", "neither a percentage, a duration nor a number"),
        ("< -1", "neither a percentage, a duration nor a number"),
        ("< 1e3", "neither a percentage, a duration nor a number"),
        ("> 99,9%", "is not a number"),
        ("> %", "is not a number"),
        ("> ٩%", "is not a number"),
        ("x", "is not a number"),
        ("x-5", "is not a number"),
        ("x1", "must be above x1"),
        ("x0.5", "must be above x1"),
        ("+40", "the % is missing"),
        ("+0%", "is none"),
        ("-0.0%", "is none"),
        ("-101%", "more than 100 %"),
        ("-nan%", "is not a number"),
    ],
)
def test_what_is_no_target_is_named_with_the_valid_forms(text: str, wrong: str) -> None:
    with pytest.raises(TargetError, match=wrong) as raised:
        parse_target(text)
    assert "`< 15m`" in str(raised.value)


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
    assert judge(parse_target(target), Measured.exactly(Fraction(value))) == Judgement(verdict=verdict)


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
    judged = judge(parse_target(target), Measured.exactly(Fraction(value)), Fraction(10))
    assert judged == Judgement(verdict=verdict)


def _judged(target: str, low: str | None, high: str | None) -> Judgement:
    measured = Measured(
        estimate=None,
        low=None if low is None else Fraction(low),
        high=None if high is None else Fraction(high),
    )
    return judge(parse_target(target), measured, Fraction(10))


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
    assert judge(parse_target(target), Measured.exactly(Fraction(5)), baseline).reason == reason
