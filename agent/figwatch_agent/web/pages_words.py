"""Figures, times and names as pages write them: units everywhere, UTC everywhere, unknown said as unknown."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote

from markupsafe import Markup, escape

from figwatch_agent.durations import DAY, HOUR, MINUTE, SECOND, Duration, format_seconds, parse_duration, parse_instant
from figwatch_agent.report.words import UNKNOWN, budget, length, percent, quantity, visible

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def count(number: int | None) -> str:
    """A whole number in groups of three, with a narrow space that does not break: ``1 234 567``."""
    return UNKNOWN if number is None else f"{number:,}".replace(",", "\u202f")


def burn(rate: float | None) -> str:
    """A burn rate: how many times faster than the budget allows."""
    if rate is None:
        return UNKNOWN
    return f"{rate:.0f}×" if rate >= 100 else f"{rate:.1f}×"


def between(bounds: Mapping[str, Any] | None, unit: str = "ms") -> str:
    """What lies between two figures; without an upper end it is beyond the last bucket."""
    if bounds is None:
        return UNKNOWN
    low, high = bounds["low"], bounds["high"]
    if low == high:
        return quantity(low, unit)
    if high is None:
        return f"over {quantity(low, unit)}"
    if low is None:
        return f"under {quantity(high, unit)}"
    return f"{quantity(low, unit)} to {quantity(high, unit)}"


def milliseconds(bounds: Mapping[str, Any] | None) -> str:
    """A quantile between two bucket bounds, as short as a column is wide: ``75–100 ms``."""
    if bounds is None:
        return UNKNOWN
    low, high = bounds["low"], bounds["high"]
    return f"> {low:g} ms" if high is None else f"{low:g}–{high:g} ms"


def lasting(seconds: float | None) -> str:
    """A duration for people."""
    return UNKNOWN if seconds is None else format_seconds(round(seconds * SECOND))


def moment(iso: str | None) -> str:
    """An instant to the second: ``22 Nov 2026, 20:11:04 UTC``."""
    return UNKNOWN if iso is None else f"{day(iso)}, {clock(iso)}"


def day(iso: str) -> str:
    """The date of an instant: ``22 Nov 2026``."""
    return f"{int(iso[8:10])} {_MONTHS[int(iso[5:7]) - 1]} {iso[:4]}"


def clock(iso: str) -> str:
    """The time of an instant: ``20:11:04 UTC``."""
    return f"{iso[11:19]} UTC"


def age(duration: Duration) -> str:
    """How long ago, in one unit: ``4 min ago``."""
    for unit, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s")):
        if duration >= unit * (2 if unit >= HOUR else 1):
            return f"{duration // unit} {name} ago"
    return "just now"


def ago(iso: str | None, at: str) -> Markup:
    """A ``time`` element that says how long before ``at`` an instant was; scripts keep it current."""
    if iso is None:
        return escape(UNKNOWN)
    said = age(max(parse_instant(at) - parse_instant(iso), 0))
    return Markup('<time class="age" datetime="{}" title="{}">{}</time>').format(iso, moment(iso), said)


def when(iso: str | None) -> Markup:
    """A ``time`` element with date and time."""
    return escape(UNKNOWN) if iso is None else Markup('<time datetime="{}">{}</time>').format(iso, moment(iso))


def at_clock(iso: str | None) -> Markup:
    """A ``time`` element with the time alone, where the date stands nearby."""
    return escape(UNKNOWN) if iso is None else Markup('<time datetime="{}">{}</time>').format(iso, clock(iso))


def long(text: str) -> str:
    """A length of time as files write it, for people: ``30d`` is ``30 days``."""
    return length(parse_duration(text))


def first_capital(text: str) -> str:
    """A sentence as it begins."""
    return text[:1].upper() + text[1:]


def spoken(name: str) -> str:
    """A word of a closed set as prose: ``worse_than_control`` is ``worse than control``."""
    return name.replace("_", " ")


@lru_cache(maxsize=4096)
def breakable(text: str) -> Markup:
    """A path or name that may be broken after slashes, dots and dashes where a column is narrow."""
    shown = str(escape(visible(text)))
    for mark in "/-_.":
        shown = shown.replace(mark, f"{mark}<wbr>")
    return Markup(shown)  # noqa: S704 (escaped above; only <wbr> was added)


def route_path(route: str) -> str:
    """Where the page of a route is."""
    return "/routes" + quote(route if route.startswith("/") else f"/{route}", safe="/")


FILTERS: Final = {
    "age": age,
    "ago": ago,
    "at_clock": at_clock,
    "between": between,
    "breakable": breakable,
    "budget": budget,
    "burn": burn,
    "clock": clock,
    "count": count,
    "day": day,
    "first_capital": first_capital,
    "lasting": lasting,
    "long": long,
    "milliseconds": milliseconds,
    "moment": moment,
    "percent": percent,
    "quantity": quantity,
    "route_path": route_path,
    "spoken": spoken,
    "visible": visible,
    "when": when,
}
"""By the names that templates know them by."""
