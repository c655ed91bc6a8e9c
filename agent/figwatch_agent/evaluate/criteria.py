"""When a measurement meets or misses the target of a criterion."""

from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

from figwatch_agent.model.names import Measure, Verdict
from figwatch_agent.model.target import Form, Target, Unit
from figwatch_agent.model.view import Measured


class Reason(StrEnum):
    """Why a verdict is inconclusive."""

    NOT_MEASURED = "not_measured"  # no value at all
    NO_BASELINE = "no_baseline"  # the target compares with a baseline that was not recorded, or is not above 0
    BOUNDS_STRADDLE = "bounds_straddle"  # the target lies inside what the measurement leaves open


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """A verdict, and the reason where it is inconclusive."""

    verdict: Verdict
    reason: Reason | None = None


def judge_measured(target: Target, measured: Measured) -> Judgement:
    """The verdict on a criterion's figure."""
    if measured.criterion.measure is Measure.LATENCY_P95 and target.form is Form.BELOW:
        # A bucket holds what took its bound or less: "95 % within 200 ms" is all that it can say of "below 200 ms".
        target = replace(target, form=Form.AT_MOST)
    return judge(target, low=measured.low, high=measured.high, baseline=measured.baseline)


def judge(
    target: Target, *, low: Fraction | None, high: Fraction | None, baseline: Fraction | None = None
) -> Judgement:
    """Met only if the worst bound meets, missed only if the best bound misses, else inconclusive with its reason.

    ``low`` and ``high`` bound what the measured value may really be, in the target's unit; None where it is open.
    """
    if low is None and high is None:
        return Judgement(verdict=Verdict.INCONCLUSIVE, reason=Reason.NOT_MEASURED)
    threshold = _threshold(target, baseline)
    if threshold is None:
        return Judgement(verdict=Verdict.INCONCLUSIVE, reason=Reason.NO_BASELINE)
    low_is_good = target.form in (Form.BELOW, Form.AT_MOST, Form.SHRUNK)
    worst, best = (high, low) if low_is_good else (low, high)
    if worst is not None and _meets(target.form, worst, threshold):
        return Judgement(verdict=Verdict.MET)
    if best is not None and not _meets(target.form, best, threshold):
        return Judgement(verdict=Verdict.MISSED)
    return Judgement(verdict=Verdict.INCONCLUSIVE, reason=Reason.BOUNDS_STRADDLE)


def _threshold(target: Target, baseline: Fraction | None) -> Fraction | None:
    if target.unit is not Unit.BASELINE:
        return target.value
    if baseline is None:
        return None
    # Five times nothing is nothing, and so is 40 % more: a multiple says something only above 0.
    return target.value * baseline if baseline > 0 or target.form in (Form.KEPT, Form.UP) else None


def _meets(form: Form, value: Fraction, threshold: Fraction) -> bool:
    if form is Form.BELOW:
        return value < threshold
    if form in (Form.AT_MOST, Form.SHRUNK):
        return value <= threshold
    if form in (Form.ABOVE, Form.UP):
        return value > threshold
    return value >= threshold
