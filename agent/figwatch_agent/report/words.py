"""Figures and other people's texts in words that can be read, in a terminal and on a page.

Texts that others wrote (routes, labels, evidence) are cleaned: what cannot be seen is written out, so that no label
can move the cursor of a terminal or hide what follows it.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from figwatch_agent.durations import SECOND, Duration, format_duration, format_seconds

NOTHING: Final = "-"
UNKNOWN: Final = "unknown"

_UNITS: Final = {"d": "days", "h": "h", "m": "min", "s": "s", "ms": "ms"}


def visible(text: object) -> str:
    """One line in which everything can be seen."""
    said = str(text)
    if said.isascii() and said.isprintable():  # nearly all of them
        return said
    return "".join(_visible(character) for character in said)


def percent(ratio: float | None) -> str:
    """A ratio for people; what is not all or nothing never reads 100% or 0%."""
    if ratio is None:
        return NOTHING
    shown = f"{ratio * 100:.2f}"
    if shown == "100.00" and ratio < 1:
        return "> 99.99%"
    if shown in ("0.00", "-0.00") and ratio != 0:
        return "< 0.01%" if ratio > 0 else "> -0.01%"
    return f"{shown.rstrip('0').rstrip('.')}%"


def budget(remaining: float | None, times: str = "×") -> str:
    """What is left of an error budget; below nothing it says how many times it was spent."""
    if remaining is None:
        return UNKNOWN
    return percent(remaining) if remaining >= 0 else f"spent {1 - remaining:.1f}{times}"


def length(duration: Duration) -> str:
    """A whole length of time for people: ``30 days``, ``1 min``, ``1 h 30 min``."""
    parts = re.findall(r"(\d+)(ms|[dhms])", format_duration(duration))
    return " ".join(f"{number} {'day' if (number, unit) == ('1', 'd') else _UNITS[unit]}" for number, unit in parts)


def quantity(value: float | None, unit: str) -> str:
    """A figure of a criterion in its unit."""
    if value is None:
        return NOTHING
    if unit == "ratio":
        return percent(value)
    if unit == "ms":
        return f"{value:.0f} ms" if value < SECOND else format_seconds(round(value))
    if unit == "per_day":
        return f"{value:.3g} a day"
    if unit == "times":
        return f"x{value:.3g}"
    return f"{value:g}" if unit == "number" else f"{value:g} {visible(unit)}"


def bounds(found: Mapping[str, Any] | None, unit: str) -> str:
    """Where a figure lies, in its unit; None where nothing is known of it."""
    if found is None:
        return NOTHING
    low, high = found["low"], found["high"]
    if low == high:
        return quantity(low, unit)
    if high is None:
        return f"above {quantity(low, unit)}"
    return f"{quantity(low, unit)} to {quantity(high, unit)}" if low is not None else f"below {quantity(high, unit)}"


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if category in ("Zl", "Zp", "Zs"):
        return " "
    return f"\\u{ord(character):04x}" if category in ("Cc", "Cf", "Cs", "Co", "Cn") else character
