"""Targets of success criteria: their grammar, and when a measurement meets or misses one."""

import re
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from figwatch_agent.durations import parse_duration

VALID_FORMS = "`< 15m`, `> 99.9%`, `<= 0`, `x5`, `+40%`, `-30%`, `kept` or `up`"

_LIMIT = re.compile(r"(<=|>=|<|>)\s*(\S+)")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")


class TargetError(ValueError):
    """The text is no target; the message names what is wrong with it and the valid forms."""


class Verdict(StrEnum):
    """Where a criterion stands."""

    MET = "met"  # even the worst value the measurement allows meets the target
    MISSED = "missed"  # even the best value the measurement allows misses it
    INCONCLUSIVE = "inconclusive"  # the measurement allows both, or there is none


class Reason(StrEnum):
    """Why a verdict is inconclusive."""

    NOT_MEASURED = "not_measured"  # no value at all
    NO_BASELINE = "no_baseline"  # the target compares with a baseline that was not recorded, or is not above 0
    BOUNDS_STRADDLE = "bounds_straddle"  # the target lies inside what the measurement leaves open


class Form(StrEnum):
    """What a target asks of the measured value."""

    BELOW = "<"
    AT_MOST = "<="
    ABOVE = ">"
    AT_LEAST = ">="
    TIMES = "x"  # at least this many times the baseline
    GROWN = "+"  # at least this much more than the baseline
    SHRUNK = "-"  # at least this much less than the baseline
    KEPT = "kept"  # no less than the baseline
    UP = "up"  # more than the baseline


class Unit(StrEnum):
    """What the value of a target counts."""

    MILLISECONDS = "ms"
    RATIO = "ratio"
    NUMBER = "number"
    BASELINE = "baseline"  # a multiple of the baseline, in its own unit


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """A target as exact values; `text` is how it was written."""

    text: str
    form: Form
    unit: Unit
    value: Fraction  # milliseconds, a ratio, a number, or the multiple of the baseline (1.4 for `+40%`)


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """A measured value with the bounds of what it may really be, in the target's unit; None is not known."""

    estimate: Fraction | None  # shown to people; the bounds decide
    low: Fraction | None
    high: Fraction | None

    @classmethod
    def exactly(cls, value: Fraction | None) -> "Measured":
        """A value that is known as it is, or nothing."""
        return cls(estimate=value, low=value, high=value)


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """A verdict, and the reason where it is inconclusive."""

    verdict: Verdict
    reason: Reason | None = None


def parse_target(text: str) -> Target:
    """Read a target such as `< 15m`; raises TargetError for anything else."""
    stripped = text.strip()
    if stripped in (Form.KEPT, Form.UP):
        return Target(text=stripped, form=Form(stripped), unit=Unit.BASELINE, value=Fraction(1))
    limit = _LIMIT.fullmatch(stripped)
    if limit:
        unit, value = _value(limit[2], stripped)
        return Target(text=stripped, form=Form(limit[1]), unit=unit, value=value)
    if stripped[:1] == "x":
        return Target(text=stripped, form=Form.TIMES, unit=Unit.BASELINE, value=_times(stripped))
    if stripped[:1] in ("+", "-"):
        return Target(text=stripped, form=Form(stripped[0]), unit=Unit.BASELINE, value=_changed(stripped))
    raise _wrong(stripped, "it starts with none of <, <=, >, >=, x, + and -, and is no word I know")


def judge(target: Target, measured: Measured, baseline: Fraction | None = None) -> Judgement:
    """Met only if the worst bound meets, missed only if the best bound misses, else inconclusive with its reason."""
    if measured.low is None and measured.high is None:
        return Judgement(verdict=Verdict.INCONCLUSIVE, reason=Reason.NOT_MEASURED)
    threshold = _threshold(target, baseline)
    if threshold is None:
        return Judgement(verdict=Verdict.INCONCLUSIVE, reason=Reason.NO_BASELINE)
    low_is_good = target.form in (Form.BELOW, Form.AT_MOST, Form.SHRUNK)
    worst, best = (measured.high, measured.low) if low_is_good else (measured.low, measured.high)
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


def _value(text: str, whole: str) -> tuple[Unit, Fraction]:
    if text.endswith("%"):
        return Unit.RATIO, _number(text[:-1], whole) / 100
    if _NUMBER.fullmatch(text):
        return Unit.NUMBER, Fraction(text)
    try:
        return Unit.MILLISECONDS, Fraction(parse_duration(text))
    except ValueError:
        raise _wrong(whole, f"{text!r} is neither a percentage, a duration nor a number") from None


def _times(text: str) -> Fraction:
    times = _number(text[1:], text)
    if times <= 1:
        raise _wrong(text, "a multiple must be above x1; for `no less than before` write `kept`")
    return times


def _changed(text: str) -> Fraction:
    if not text.endswith("%"):
        raise _wrong(text, "a change is a percentage of the baseline, and the % is missing")
    change = _number(text[1:-1], text) / 100
    if change == 0:
        raise _wrong(text, "a change of 0 % is none; for `no less than before` write `kept`")
    if text[0] == "+":
        return 1 + change
    if change > 1:
        raise _wrong(text, "nothing falls by more than 100 %")
    return 1 - change


def _number(text: str, whole: str) -> Fraction:
    if not _NUMBER.fullmatch(text):
        raise _wrong(whole, f"{text!r} is not a number such as 5 or 99.9")
    return Fraction(text)


def _wrong(text: str, what: str) -> TargetError:
    return TargetError(f"{text!r} is not a target: {what}. Write {VALID_FORMS}")
