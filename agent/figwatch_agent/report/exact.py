"""Ratios as decimal texts that lose nothing, or that say with a fraction what they lose."""

from fractions import Fraction
from typing import Final

DIGITS: Final = 30
"""Decimals of a ratio whose decimals never end; its fraction stands beside it."""


def decimal(value: Fraction | None) -> str | None:
    """Every decimal where they end, else 30 of them, rounded half to even. ``1/8`` is ``"0.125"``."""
    if value is None:
        return None
    places = _places(value.denominator)
    scaled = round(value * 10 ** (DIGITS if places is None else places))
    whole, rest = divmod(abs(scaled), 10 ** (DIGITS if places is None else places))
    decimals = f"{rest:0{DIGITS if places is None else places}d}".rstrip("0") if places != 0 else ""
    return f"{'-' if scaled < 0 else ''}{whole}{'.' + decimals if decimals else ''}"


def fraction(value: Fraction | None) -> str | None:
    """Numerator and denominator, in lowest terms: ``"1/3"``."""
    return None if value is None else f"{value.numerator}/{value.denominator}"


def _places(denominator: int) -> int | None:
    """How many decimals there are; None where they never end."""
    twos = fives = 0
    while denominator % 2 == 0:
        denominator, twos = denominator // 2, twos + 1
    while denominator % 5 == 0:
        denominator, fives = denominator // 5, fives + 1
    return max(twos, fives) if denominator == 1 else None
