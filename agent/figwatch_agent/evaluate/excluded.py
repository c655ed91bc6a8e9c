"""Counts that are set aside between two instants, taken out of windows over cumulative counts.

What is set aside is never moved: the rings keep every event, and a part remembers what its columns had counted at its
two edges. A window less its parts is what remains, so that both add up to the whole, exactly, whatever the window.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import Duration, Instant

Counts = NDArray[np.int64]
Span = tuple[Instant, Instant]


@dataclass(slots=True, eq=False)
class Part:
    """Some columns are set aside in (after, until]; parts that share a column share no time."""

    after: Instant
    until: Instant | None  # None while it goes on
    columns: Counts
    start: Counts  # what the columns had counted at ``after``
    end: Counts  # at ``until``; says nothing while it goes on

    def close(self, until: Instant, counted: Counts) -> None:
        """It ended; ``counted``: what all columns had counted by then."""
        self.until, self.end = until, counted[self.columns]

    def amend(self, at: Instant, increments: Counts) -> None:
        """Events of a past instant became known: edges after it have counted them as well."""
        if self.after >= at:
            self.start = self.start + increments[self.columns]
        if self.until is not None and self.until >= at:
            self.end = self.end + increments[self.columns]


def set_aside(parts: Iterable[Part], since: Instant, then: Counts, current: Counts) -> Counts:
    """Events set aside since a boundary; ``then`` and ``current``: what all columns had counted there and have now."""
    found = np.zeros_like(current)
    for part in parts:
        if part.until is None or part.until > since:
            begin = part.start if part.after >= since else then[part.columns]
            found[part.columns] += (current[part.columns] if part.until is None else part.end) - begin
    return found


def set_aside_by(parts: Iterable[Part], boundaries: Counts, counted: Counts, first: int = 0) -> Counts:
    """[instant, column]: events set aside up to each boundary, at which columns from ``first`` on had ``counted``."""
    found = np.zeros_like(counted)
    for part in parts:
        here = (part.columns >= first) & (part.columns < first + counted.shape[1])
        columns, start, end = part.columns[here] - first, part.start[here], part.end[here]
        inside = boundaries > part.after
        if part.until is not None:
            over = boundaries >= part.until
            found[np.ix_(over, columns)] += end - start
            inside &= ~over
        found[np.ix_(inside, columns)] += counted[np.ix_(inside, columns)] - start
    return found


def time_in(after: Instant, until: Instant | None, since: Instant, now: Instant) -> Duration:
    """Milliseconds of (since, now] that lie in (after, until]."""
    return max((now if until is None else min(until, now)) - max(after, since), 0)


def gaps(after: Instant, until: Instant, taken: Iterable[Span]) -> list[Span]:
    """What of (after, until] is in none of the spans that are taken, in order."""
    found: list[Span] = []
    for begin, end in sorted(taken):
        if begin >= until:
            break
        if begin > after:
            found.append((after, begin))
        after = max(after, end)
    return [*found, (after, until)] if after < until else found
