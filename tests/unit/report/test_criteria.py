"""Verdicts rest on the worst and the best that the data allow."""

from __future__ import annotations

from fractions import Fraction

import pytest

from figwatch_agent.durations import DAY
from figwatch_agent.model.names import Measure
from figwatch_agent.model.slo import Criterion
from figwatch_agent.model.view import Counts, Measured
from figwatch_agent.report.criteria import criterion_document


def measured(
    target: str,
    low: Fraction | None,
    high: Fraction | None,
    unit: str = "ratio",
    measure: Measure = Measure.UPTIME,
    baseline: Fraction | None = None,
    reason: str = "",
) -> Measured:
    """A figure with bounds."""
    return Measured(
        criterion=Criterion(name="it", measure=measure, target=target, over=30 * DAY, by="2026-12-31"),
        low=low,
        high=high,
        estimate=low,
        unit=unit,
        coverage=Fraction(3, 4),
        counts=Counts(bad=1, total=4),
        evidence="1 of 4",
        reason=reason,
        baseline=baseline,
    )


@pytest.mark.parametrize(
    ("target", "low", "high", "unit", "verdict"),
    [
        ("> 99.9%", Fraction(9995, 10000), Fraction(1), "ratio", "met"),  # the worst meets
        ("> 99.9%", Fraction(9, 10), Fraction(999, 1000), "ratio", "missed"),  # the best is not above
        ("> 99.9%", Fraction(9, 10), Fraction(1), "ratio", "inconclusive"),
        ("< 200ms", Fraction(100), Fraction(150), "ms", "met"),
        ("< 200ms", Fraction(100), Fraction(200), "ms", "inconclusive"),  # 200 is not below 200
        ("< 200ms", Fraction(250), None, "ms", "missed"),  # beyond the last bucket
        ("< 15m", Fraction(1000), Fraction(1000), "ms", "met"),
        ("< 1%", Fraction(1, 100), Fraction(1, 100), "ratio", "missed"),
    ],
)
def test_bounds_decide(target: str, low: Fraction, high: Fraction | None, unit: str, verdict: str) -> None:
    document = criterion_document(measured(target, low, high, unit))
    assert document["verdict"] == verdict
    assert (document["reason"] is None) == (verdict != "inconclusive")


def test_a_figure_that_is_missing_is_inconclusive_with_the_engines_reason() -> None:
    document = criterion_document(measured("> 99.9%", None, None, reason="no probe was answered"))
    assert (document["verdict"], document["reason"], document["value"]) == (
        "inconclusive",
        "no probe was answered",
        None,
    )


def test_a_comparison_without_a_baseline_is_inconclusive() -> None:
    document = criterion_document(measured("x5", Fraction(60), Fraction(60), "number", Measure.DEPLOYMENT_FREQUENCY))
    assert document["verdict"] == "inconclusive"
    assert "baseline" in str(document["reason"])


def test_a_comparison_with_a_baseline_is_judged() -> None:
    found = measured("x5", Fraction(60), Fraction(60), "number", Measure.DEPLOYMENT_FREQUENCY, baseline=Fraction(12))
    assert criterion_document(found)["verdict"] == "met"


def test_units_that_do_not_match_decide_nothing() -> None:
    document = criterion_document(measured("< 15m", Fraction(1), Fraction(1), "ratio"))
    assert (document["verdict"], document["reason"]) == ("inconclusive", "the target is in ms and the figure in ratio")


def test_a_verdict_carries_what_it_rests_on() -> None:
    document = criterion_document(measured("> 50%", Fraction(3, 4), Fraction(1)))
    assert document == {
        "name": "it",
        "measure": "uptime",
        "target": "> 50%",
        "verdict": "met",
        "value": 0.75,
        "low": 0.75,
        "high": 1,
        "unit": "ratio",
        "coverage": 0.75,
        "counts": {"bad": 1, "total": 4},
        "baseline": None,
        "recorded": None,
        "query": None,
        "window": {"start": None, "end": None},
        "figures": [],
        "evidence": "1 of 4",
        "reason": None,
        "by": "2026-12-31",
        "over": "30d",
        "slo": None,
        "route": None,
    }


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (100, 200, "met"),  # the bucket holds what took 200 ms or less, and no more can be said of "below 200 ms"
        (200, 250, "inconclusive"),  # above 200 ms, but the best that the bucket allows stands exactly on the bound
        (250, 500, "missed"),
    ],
)
def test_a_latency_target_on_a_bucket_bound_asks_for_95_percent_within_it(low: int, high: int, verdict: str) -> None:
    figure = measured("< 200ms", Fraction(low), Fraction(high), "ms", Measure.LATENCY_P95)
    assert criterion_document(figure)["verdict"] == verdict
