"""The exact tests of ``evidence`` for many watches at once: their borders, found once each and looked up ever after.

A test on (bad, total) goes over at one total for each number of bad events. That border is searched for with the test
itself when it is first needed, so that a table says what the test says.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.evaluate.evidence import rejects_still_burning, rejects_within_budget

Integers: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

TABLED = 64
"""Borders are kept for fewer bad events than this."""

_UNKNOWN = -1
_MOST = 2**62
"""Beyond any count: a test that holds up to here holds for every total."""


class Recovery:
    """How many events, so many of them bad, reject "still burning" at the ratio of each watch."""

    def __init__(self, ratios: Sequence[Fraction]) -> None:
        self._kinds, self._kind = _distinct(ratios)
        self._fewest = np.full((len(self._kinds), TABLED), _UNKNOWN, dtype=np.int64)

    def fewest(self, watches: Integers, bad: Integers) -> Integers:
        """Fewer events than this reject nothing; from this many on they do where bad events are fewer than TABLED."""
        kinds, few = self._kind[watches], _few(bad)
        found: Integers = self._fewest[kinds, few]
        if len(found) and int(found.min()) == _UNKNOWN:
            for kind, count in _pairs(kinds, few, found == _UNKNOWN):
                self._fewest[kind, count] = 1 + _last(_burns(count, self._kinds[kind]), count)
            found = self._fewest[kinds, few]
        return found

    def clears(self, watches: Integers, bad: Integers, total: Integers) -> Flags:
        """``rejects_still_burning`` of each."""
        found = total >= self.fewest(watches, bad)
        for place in (found & (bad >= TABLED)).nonzero()[0].tolist():
            ratio = self._kinds[int(self._kind[watches[place]])]
            found[place] = rejects_still_burning(int(bad[place]), int(total[place]), ratio)
        return found


class Evidence:
    """Among how many events so many bad ones contradict "within budget" at the level of each watch."""

    def __init__(self, objectives: Sequence[tuple[Fraction, Fraction]]) -> None:
        """``objectives``: (objective, level) of each watch."""
        self._kinds, self._kind = _distinct(objectives)
        self._most = np.full((len(self._kinds), TABLED), _UNKNOWN, dtype=np.int64)

    def possible(self, watches: Integers, bad: Integers, total: Integers) -> Flags:
        """``rejects_within_budget`` of each; True without a look where bad events are TABLED or more."""
        kinds, few = self._kind[watches], _few(bad)
        most = self._most[kinds, few]
        if len(most) and int(most.min()) == _UNKNOWN:
            for kind, count in _pairs(kinds, few, most == _UNKNOWN):
                holds = _rejects(count, *self._kinds[kind])
                self._most[kind, count] = _last(holds, count) if holds(count) else 0
            most = self._most[kinds, few]
        possible: Flags = (total <= most) & (bad > 0)
        possible |= bad >= TABLED
        return possible


def _few(bad: Integers) -> Integers:
    few: Integers = np.minimum(np.maximum(bad, 0), TABLED - 1)
    return few


def _pairs(kinds: Integers, counts: Integers, chosen: Flags) -> list[tuple[int, int]]:
    return sorted(set(zip(kinds[chosen].tolist(), counts[chosen].tolist(), strict=True)))


def _burns(bad: int, ratio: Fraction) -> Callable[[int], bool]:
    return lambda total: not rejects_still_burning(bad, total, ratio)


def _rejects(bad: int, objective: Fraction, level: Fraction) -> Callable[[int], bool]:
    return lambda total: rejects_within_budget(bad, total, objective, level)


def _distinct(values: Sequence[object]) -> tuple[list[Any], Integers]:
    """The values without repetition, and the place of each among them."""
    places: dict[object, int] = {}
    kind = [places.setdefault(value, len(places)) for value in values]
    return list(places), np.array(kind, dtype=np.int64)


def _last(holds: Callable[[int], bool], first: int) -> int:
    """The last number for which something holds that holds for ``first`` and, once it does not, never again."""
    step = 1
    while first + step < _MOST and holds(first + step):
        step *= 2
    low, high = first + step // 2, first + step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
