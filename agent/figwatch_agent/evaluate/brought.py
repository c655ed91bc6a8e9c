"""Figures that people bring, such as a survey's result or a month's bill: their mean over a window."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, kw_only=True, slots=True)
class Brought:
    """Exact figures of a window, all in one unit."""

    count: int
    mean: Fraction
    lowest: Fraction
    highest: Fraction
    newest: Fraction


def brought(values: Sequence[Fraction]) -> Brought | None:
    """The figures, oldest first, as one; None where nothing was brought."""
    if not values:
        return None
    return Brought(
        count=len(values),
        mean=sum(values, Fraction(0)) / len(values),
        lowest=min(values),
        highest=max(values),
        newest=values[-1],
    )
