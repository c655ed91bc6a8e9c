"""PromQL as text: selectors, numbers, windows, and how many events a counter counted within one minute."""

from collections.abc import Iterable
from fractions import Fraction
from typing import Final

from figwatch_agent.durations import MINUTE, SECOND, Duration, format_duration
from figwatch_agent.model.selector import Matcher, Selector

SLICE: Final[Duration] = MINUTE
"""What is counted at a time. Every longer count is a sum of these."""

_SPECIAL: Final = frozenset("\\.+*?()|[]{}^$")


def quoted(text: str) -> str:
    """A PromQL string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def selector(metric: str, matchers: Iterable[Matcher]) -> str:
    """A vector selector; matchers stand in the order given."""
    inside = ",".join(f"{m.label}{m.operator}{quoted(m.value)}" for m in matchers)
    return f"{metric}{{{inside}}}" if inside else metric


def selector_text(value: Selector, suffix: str = "", more: Iterable[Matcher] = ()) -> str:
    """A selector of the files, its metric continued by ``suffix`` and narrowed by ``more``."""
    return selector(value.metric + suffix, (*value.matchers, *more))


def one_of(label: str, values: Iterable[str]) -> Matcher:
    """The matcher for a label that has exactly one of these values."""
    known = sorted(set(values))
    if len(known) == 1:
        return Matcher(label=label, operator="=", value=known[0])
    return Matcher(label=label, operator="=~", value="|".join(literally(value) for value in known))


def literally(text: str) -> str:
    """A regular expression (RE2) for this text alone."""
    return "".join("\\" + char if char in _SPECIAL else char for char in text)


def bucket(bound: Fraction) -> Matcher:
    """The bucket with exactly this upper bound; whole numbers are written with and without their ``.0``."""
    if bound.denominator == 1:
        return Matcher(label="le", operator="=~", value=f"{bound.numerator}(\\.0)?")
    return Matcher(label="le", operator="=", value=number(bound))


def number(value: Fraction) -> str:
    """The exact decimal, or the nearest float where there is none."""
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest != 1:
        return repr(float(value))
    digits = 0
    while (value * 10**digits).denominator != 1:
        digits += 1
    whole = str(abs(value.numerator * 10**digits // value.denominator)).rjust(digits + 1, "0")
    sign = "-" if value < 0 else ""
    return sign + (f"{whole[:-digits]}.{whole[-digits:]}" if digits else whole)


def minutes(window: Duration) -> int:
    """How many slices a window holds. Raises ValueError where it is no whole number of them, or only one."""
    if window % SLICE or window < 2 * SLICE:
        raise ValueError(
            f"rules count by the minute, and {format_duration(window)} is no whole number of minutes from 2m up:"
            " choose another window, or leave this SLO to the agent"
        )
    return window // SLICE


def reach(window: Duration) -> str:
    """The range that holds exactly the slices of a window.

    It is a second short, so that the slice at its very beginning is outside whether a range is closed on the left
    (Prometheus 2) or open (Prometheus 3).
    """
    minutes(window)
    return f"[{format_duration(window - SECOND)}]"


def counted(series: str, window: Duration = SLICE) -> str:
    """Events that each of these counters counted within the window, exactly, without extrapolation.

    The difference between two values, so that neighbouring windows miss nothing and count nothing twice. After a
    reset the counter counts from 0; so does one that was not there while its scrape target answered. Whatever else
    appears starts where it is.
    """
    length = format_duration(window)
    return (
        f"({series} - {series} offset {length} >= 0 unless resets({series}[{length}]) > 0)\n"
        f"or ({series} and on (job, instance) (up offset {length} == 1))"
    )


def by_route(inner: str, label: str) -> str:
    """The sum for each route, under the label ``route``."""
    return f'sum by (route) (label_replace(\n{indented(inner)},\n  "route", "$1", {quoted(label)}, "(.+)"))'


def indented(text: str, by: int = 2) -> str:
    """Every line moved to the right."""
    return "\n".join(" " * by + line for line in text.splitlines())
