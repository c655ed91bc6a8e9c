"""The target of a criterion as it is written, read as exact values: the one grammar there is."""

import re
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from figwatch_agent.durations import parse_duration

VALID_FORMS = "`< 15m`, `> 99.9%`, `<= 0`, `x5`, `+40%`, `-30%`, `kept` or `up`"

LONGEST = 40
"""Characters of the longest target; figures that need more are no promise to people."""

_LIMIT = re.compile(r"(<=|>=|<|>)[ \t]*(.*)", re.DOTALL)
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")


class TargetError(ValueError):
    """The text is no target; ``what`` is wrong with it, and the message adds the text and the valid forms."""

    def __init__(self, text: str, what: str) -> None:
        super().__init__(f"{text!r} is not a target: {what}. Write {VALID_FORMS}")
        self.what = what


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


def parse_target(text: str) -> Target:
    """Read a target such as `< 15m`; raises TargetError for anything else, blanks around it included."""
    if len(text) > LONGEST:
        raise TargetError(text[:LONGEST] + "...", f"it is longer than {LONGEST} characters")
    if text in (Form.KEPT, Form.UP):
        return Target(text=text, form=Form(text), unit=Unit.BASELINE, value=Fraction(1))
    limit = _LIMIT.fullmatch(text)
    if limit:
        unit, value = _value(limit[2], text)
        return Target(text=text, form=Form(limit[1]), unit=unit, value=value)
    if text[:1] == "x":
        return Target(text=text, form=Form.TIMES, unit=Unit.BASELINE, value=_times(text))
    if text[:1] in ("+", "-"):
        return Target(text=text, form=Form(text[0]), unit=Unit.BASELINE, value=_changed(text))
    raise TargetError(text, "it starts with none of <, <=, >, >=, x, + and -, and is neither kept nor up")


def _value(text: str, whole: str) -> tuple[Unit, Fraction]:
    if text.endswith("%"):
        return Unit.RATIO, _number(text[:-1], whole) / 100
    if _NUMBER.fullmatch(text):
        return Unit.NUMBER, Fraction(text)
    try:
        return Unit.MILLISECONDS, Fraction(parse_duration(text))
    except ValueError:
        raise TargetError(whole, f"{text!r} is neither a percentage, a duration nor a number") from None


def _times(text: str) -> Fraction:
    times = _number(text[1:], text)
    if times <= 1:
        raise TargetError(text, "a multiple must be above x1")
    return times


def _changed(text: str) -> Fraction:
    if not text.endswith("%"):
        raise TargetError(text, "a change is a percentage of the baseline, and the % is missing")
    change = _number(text[1:-1], text) / 100
    if change == 0:
        raise TargetError(text, "a change of 0 % is none")
    if text[0] == "+":
        return 1 + change
    if change > 1:
        raise TargetError(text, "nothing falls by more than 100 %")
    return 1 - change


def _number(text: str, whole: str) -> Fraction:
    if not _NUMBER.fullmatch(text):
        raise TargetError(whole, f"{text!r} is not a number such as 5 or 99.9")
    return Fraction(text)
