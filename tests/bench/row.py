"""One line of the bench: what was measured, as a ratio, and how high it may be."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A measured ratio with its limit."""

    name: str
    """What costs something, and compared to what."""
    ratio: float
    """Cost of the thing / cost of what it is compared to."""
    limit: float
    """The highest ratio that passes."""
    note: str = ""
    """The figures behind the ratio."""
    fault: str = ""
    """Why the row fails whatever its ratio; empty if nothing of the kind happened."""

    @property
    def passes(self) -> bool:
        """Whether the ratio keeps its limit and nothing else is wrong."""
        return not self.fault and self.ratio <= self.limit


Bench = Callable[[], Iterable[Row]]
"""Measures and returns its rows; what a file of this folder offers as ``rows``."""
