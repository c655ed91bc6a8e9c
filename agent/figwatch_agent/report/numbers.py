"""Exact figures as JSON numbers and texts, without NaN or Inf, and never closer to 0 or 1 than they are.

Verdicts and decisions are made from the exact figures before anything is rounded; the counts stand beside every ratio.
"""

from fractions import Fraction
from typing import Final

from figwatch_agent.durations import SECOND, Duration

PLACES: Final = 9
"""Decimals of a JSON number: a double carries 15 digits, and one bad event in a thousand million still shows."""

TEXT_PLACES: Final = 12
"""Decimals of a text."""

_EXACT: Final = 10**15
"""From here on a double cannot carry the decimals; a whole number can be of any size."""


def number(value: Fraction | None) -> float | int | None:
    """Rounded half to even at 9 decimals, None where nothing is known.

    A figure that is not whole never rounds to a whole number: 1 means all and 0 means none.
    """
    if value is None:
        return None
    if value.denominator == 1 or abs(value) >= _EXACT:
        return round(value)
    return _scaled(value, PLACES) / 10**PLACES


def text(value: Fraction | None) -> str | None:
    """Decimal text, exact where 12 decimals hold it, else rounded in the same way. ``1/5`` is ``"0.2"``."""
    if value is None:
        return None
    scaled = _scaled(value, TEXT_PLACES)
    whole, rest = divmod(abs(scaled), 10**TEXT_PLACES)
    decimals = f"{rest:0{TEXT_PLACES}d}".rstrip("0")
    return f"{'-' if scaled < 0 else ''}{whole}{'.' + decimals if decimals else ''}"


def seconds(duration: Duration) -> float | int:
    """Milliseconds as seconds."""
    return duration // SECOND if duration % SECOND == 0 else duration / SECOND


def _scaled(value: Fraction, places: int) -> int:
    unit = 10**places
    scaled: int = round(value * unit)
    if scaled % unit == 0 and value.denominator != 1:
        scaled += 1 if value * unit > scaled else -1
    return scaled
