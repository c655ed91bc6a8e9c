"""Counts of rolling windows, with hard bounds at the edge: the events of the slot that a window's start cuts.

They may lie inside or outside: they are handed out apart, and whoever decides with them decides on both and says
whether the answer is certain.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """Counts per column: surely inside, and in the slot that the window's start cuts."""

    inside: Counts
    edge: Counts

    @property
    def most(self) -> Counts:
        """Everything that may lie inside."""
        return self.inside + self.edge


def lowest_ratio(bad: Window, total: Window, column: int) -> Fraction | None:
    """The least share of bad events that the counts allow: the cut slot's bad ones outside, its good ones inside."""
    good_edge = max(int(total.edge[column] - bad.edge[column]), 0)
    events = int(total.inside[column]) + good_edge
    return Fraction(int(bad.inside[column]), events) if events > 0 else None


def highest_ratio(bad: Window, total: Window, column: int) -> Fraction | None:
    """The greatest share of bad events that the counts allow: the cut slot's bad ones inside, its good ones outside."""
    bad_edge = max(int(bad.edge[column]), 0)
    events = int(total.inside[column]) + bad_edge
    return Fraction(int(bad.inside[column]) + bad_edge, events) if events > 0 else None
