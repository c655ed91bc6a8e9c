"""Pieces of the grammars of other tools: queries, objectives, durations as each of them writes them, metadata."""

import re
from fractions import Fraction
from typing import Any, Final, NamedTuple

from pydantic_core import core_schema
from pydantic_core.core_schema import CoreSchema

from figwatch_agent.durations import DAY, HOUR, MINUTE, SECOND, WEEK, Duration, parse_duration
from figwatch_agent.files.diagnostics import quoted
from figwatch_agent.files.fields import LONGEST, STR, string
from figwatch_agent.files.foreign.window_template import WINDOW, template_left, with_window
from figwatch_agent.files.schema import describe, may, need, record, scalar, wrong
from figwatch_agent.files.selectors import MAX_LENGTH, parsed

MOST_OPERATORS: Final = 250
"""Brackets and operators in one query: the time to parse it grows with their square."""

USUAL: Final = "5m"
"""The range with which a query is parsed, and asked where it is kept as it is."""

_DECIMAL: Final = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,15})?")
_GO: Final = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?(?:ns|us|µs|ms|s|m|h))+")
_SHORTHAND: Final = re.compile(r"([0-9]{1,9})([mhdwMQY])")
_SHORTHAND_UNITS: Final = {"m": MINUTE, "h": HOUR, "d": DAY, "w": WEEK, "M": 30 * DAY, "Q": 90 * DAY, "Y": 365 * DAY}


class Query(NamedTuple):
    """A query that was read. ``text`` holds WINDOW where the window stood."""

    text: str
    tree: Any

    @property
    def windowed(self) -> bool:
        """Whether the window was left open."""
        return WINDOW in self.text


class Span(NamedTuple):
    """A duration, and whether its length differs with the calendar (months, quarters, years)."""

    length: Duration
    calendar: bool = False


def query(text: str) -> Query:
    """A query with or without a placeholder. Raises what a grammar piece raises where it is no PromQL."""
    open_ = with_window(text.strip())
    plain = open_.replace(WINDOW, USUAL)
    if not plain:
        raise wrong("expected PromQL, found none")
    if len(plain) > MAX_LENGTH or sum(plain.count(char) for char in "([+-*/^") > MOST_OPERATORS:
        raise wrong(f"a query of more than {MAX_LENGTH} characters or {MOST_OPERATORS} operators is not taken")
    if template_left(open_):
        raise wrong(f"{quoted(text.strip())} holds a template that is not the window", "render it first")
    return Query(open_, parsed(plain))


def decimal(value: object, expected: str) -> Fraction:
    """The exact value of a number, or of a number in quotes."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return Fraction(repr(value))
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return Fraction(value)
    raise wrong(f"expected {expected}, found {describe(value)}")


def _percent(value: object) -> Fraction:
    number = decimal(value, "a percentage as a number, such as 99.9")
    if not 0 < number <= 100:
        raise wrong(f"{float(number):g} is not between 0 and 100", "write a percentage, such as 99.9")
    return number / 100


def _ratio(value: object) -> Fraction:
    number = decimal(value, "a ratio, such as 0.999")
    if not 0 <= number < 1:
        raise wrong(f"{float(number):g} is not between 0 and 1", "write a ratio, such as 0.999")
    return number


def _positive(value: object) -> Fraction:
    number = decimal(value, "a number above 0")
    if number <= 0:
        raise wrong(f"{float(number):g} is not above 0")
    return number


def _prometheus(value: object) -> Duration:
    text = string(value, "a duration such as 30d")
    try:
        length = parse_duration(_years(text[:40]))
    except ValueError:
        raise wrong(
            f"{quoted(text)} is not a duration", "write whole numbers with units, such as 5m, 1h30m or 30d"
        ) from None
    return _bounded(length, text)


def _years(text: str) -> str:
    return re.sub(r"([0-9]{1,6})y", lambda found: f"{int(found[1]) * 365}d", text)


def _bounded(length: Duration, text: str) -> Duration:
    if not 0 < length <= LONGEST:
        raise wrong(f"{quoted(text)} is not between 1ms and 400d")
    return length


def _shorthand(value: object) -> Span:
    text = string(value, "a duration such as 4w or 30d")
    found = _SHORTHAND.fullmatch(text)
    if found is None:
        raise wrong(f"{quoted(text)} is not a duration", "write one whole number and one of m h d w M Q Y, such as 4w")
    return Span(_bounded(int(found[1]) * _SHORTHAND_UNITS[found[2]], text), found[2] in "MQY")


def _waiting(value: object) -> Span:
    """Like a shorthand; nothing may be waited for."""
    return Span(0) if value in ("0m", "0h", "0s") else _shorthand(value)


def _go(value: object) -> str:
    text = string(value, "a duration such as 30s")
    if not _GO.fullmatch(text):
        raise wrong(f"{quoted(text)} is not a duration", "write numbers with units, such as 30s or 1m30s")
    return text


def _seconds(value: object) -> Duration:
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise wrong(f"expected whole seconds above 0, found {describe(value)}")
    return _bounded(value * SECOND, f"{value}")


def _labels(value: object) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise wrong(f"expected a mapping of text, found {describe(value)}")
    return {key: one if isinstance(one, str) else "" for key, one in value.items()}


def _any(value: object) -> object:
    return value


def members(fields: dict[str, core_schema.TypedDictField], *, open_: bool = False) -> CoreSchema:
    """A mapping with these keys, as a dict of what each of them became."""
    return record(dict, fields, open_=open_)


QUERY = scalar(lambda value: query(string(value, "PromQL")), STR)
PERCENT = scalar(_percent, core_schema.float_schema())
RATIO = scalar(_ratio, core_schema.float_schema())
POSITIVE = scalar(_positive, core_schema.float_schema())
PROMQL_DURATION = scalar(_prometheus, STR)
SHORTHAND = scalar(_shorthand, STR)
WAITING = scalar(_waiting, STR)
GO_DURATION = scalar(_go, STR)
SECONDS = scalar(_seconds, core_schema.int_schema())
LABELS = scalar(_labels, core_schema.dict_schema(STR, STR))
ANYTHING = scalar(_any, core_schema.any_schema())

METADATA = members(
    {
        "name": need(scalar(lambda value: string(value, "a name"), STR), "of the object"),
        "labels": may(LABELS, "of the object"),
        "annotations": may(LABELS, "of the object"),
    },
    open_=True,
)
"""Metadata of Kubernetes, whose further members say nothing about promises."""
