"""Success criteria with their verdicts."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from figwatch_agent.durations import Instant, format_duration, format_instant
from figwatch_agent.evaluate.criteria import Reason, judge_measured
from figwatch_agent.model.names import Verdict
from figwatch_agent.model.target import Target, TargetError, Unit, parse_target
from figwatch_agent.model.view import BaselineView, Figure, Measured
from figwatch_agent.report.numbers import number

_REASONS: Final[Mapping[Reason, str]] = {
    Reason.NOT_MEASURED: "it was not measured",
    Reason.NO_BASELINE: "the target compares with a baseline, and none above 0 was recorded",
    Reason.BOUNDS_STRADDLE: "the target lies between the lowest and the highest value that the measurement leaves open",
}


def criterion_document(measured: Measured) -> dict[str, object]:
    """One criterion as JSON: the verdict, and all that it rests on.

    ``value``, ``low``, ``high`` and ``baseline`` are in ``unit``: ms, ratio, number, per_day, or that of figures which
    people brought. ``reason`` is given where it is inconclusive; ``figures`` are others that stand beside the one that
    decides, such as both forms of uptime or every stage of incidents.
    """
    criterion = measured.criterion
    verdict, reason = verdict_of(measured)
    counts = measured.counts
    return {
        "name": criterion.name,
        "measure": criterion.measure.value,
        "target": criterion.target,
        "verdict": verdict.value,
        "value": number(measured.estimate),
        "low": number(measured.low),
        "high": number(measured.high),
        "unit": measured.unit,
        "coverage": number(measured.coverage),
        "counts": None if counts is None else {"bad": counts.bad, "total": counts.total},
        "baseline": number(measured.baseline),
        "recorded": None if measured.recorded is None else _recorded(measured.recorded),
        "query": measured.query or None,
        "window": {"start": _iso(measured.start), "end": _iso(measured.end)},
        "figures": [_figure(figure) for figure in measured.figures],
        "evidence": measured.evidence,
        "reason": reason or None,
        "by": criterion.by,
        "over": format_duration(criterion.over),
        "slo": criterion.slo,
        "route": criterion.route,
    }


def _figure(figure: Figure) -> dict[str, object]:
    counts = figure.counts
    return {
        "name": figure.name,
        "value": number(figure.estimate),
        "low": number(figure.low),
        "high": number(figure.high),
        "unit": figure.unit,
        "coverage": number(figure.coverage),
        "counts": None if counts is None else {"bad": counts.bad, "total": counts.total},
        "note": figure.note or None,
    }


def _recorded(baseline: BaselineView) -> dict[str, object]:
    return {
        "value": number(baseline.value),
        "unit": baseline.unit,
        "count": baseline.count,
        "start": _iso(baseline.start),
        "end": _iso(baseline.end),
        "recorded_at": format_instant(baseline.recorded_at),
        "actor": baseline.actor,
    }


def _iso(at: Instant | None) -> str | None:
    return None if at is None else format_instant(at)


def verdict_of(measured: Measured) -> tuple[Verdict, str]:
    """The verdict on the exact figures, and why it is inconclusive."""
    try:
        target = _parsed(measured.criterion.target)
    except TargetError as error:
        return Verdict.INCONCLUSIVE, str(error)
    if _of_another_kind(target, measured):
        return Verdict.INCONCLUSIVE, f"the target is in {target.unit.value} and the figure in {measured.unit}"
    judged = judge_measured(target, measured)
    if judged.verdict is not Verdict.INCONCLUSIVE or judged.reason is None:
        return judged.verdict, ""
    return judged.verdict, measured.reason or _REASONS[judged.reason]


def _of_another_kind(target: Target, measured: Measured) -> bool:
    known = measured.low is not None or measured.high is not None
    return known and target.unit is not Unit.BASELINE and target.unit.value != measured.unit


@lru_cache(maxsize=1024)
def _parsed(text: str) -> Target:
    """Targets are those of the files, and every page asks for their verdicts."""
    return parse_target(text)
