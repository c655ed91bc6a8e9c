"""Windows less what exclusions set aside, and the boundaries that a ring still keeps."""

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import Duration, Instant
from figwatch_agent.evaluate.excluded import Part, set_aside
from figwatch_agent.evaluate.layouts import Level
from figwatch_agent.evaluate.ring import Ring
from figwatch_agent.evaluate.windows import Window

Counts = NDArray[np.int64]


def less(ring: Ring, length: Duration, whole: Window, parts: list[Part], current: Counts) -> Window:
    """A window without its parts. ``current``: what the columns of the window have counted so far."""
    if ring.at is None or not parts:
        return whole
    below, above = ring.around(length)
    outer = set_aside(parts, below, current - whole.most, current)
    inner = set_aside(parts, above, current - whole.inside, current)
    return Window(whole.inside - inner, whole.edge - (outer - inner))


def boundary_below(ring: Ring, at: Instant) -> Instant | None:
    """The last boundary at or before an instant, of the finest level that still keeps it; None where none does."""
    for level in ring.layout:
        found = at - at % level.resolution
        if found >= oldest(ring, level):
            return found
    return None


def boundary_above(ring: Ring, at: Instant) -> Instant:
    """The first boundary at or after an instant, of the finest level that still keeps it; the oldest at least."""
    for level in ring.layout:
        found = -(-at // level.resolution) * level.resolution
        if found >= oldest(ring, level):
            return found
    return oldest(ring, ring.layout[-1])


def oldest(ring: Ring, level: Level) -> Instant:
    """The oldest boundary that a level keeps."""
    return ((ring.at or 0) // level.resolution - level.slots + 1) * level.resolution if ring.at is not None else 0
