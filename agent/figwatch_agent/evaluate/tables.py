"""The exact tests of ``evidence`` for many watches at once: their borders, found once each and looked up ever after.

A test on (bad, total) goes over at one total for each number of bad events. That border is searched for with the test
itself when it is first needed, so that a table says what the test says.
"""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.evaluate.evidence import (
    RECOVERY_LEVEL,
    lower_tail,
    rejects_still_burning,
    rejects_within_budget,
    upper_tail,
)

Integers: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

TABLED = 64
"""Borders are kept for fewer bad events than this."""

_UNKNOWN = -1
_SECANTS = 12
_ONCE_IN_TWENTY = 1.645  # standard deviations of a normal distribution
_MOST = 2**62
"""Beyond any count: a test that holds up to here holds for every total."""


class Recovery:
    """How many events, so many of them bad, reject "still burning" at the ratio of each watch."""

    def __init__(self, ratios: Sequence[Fraction]) -> None:
        self._kinds, self._kind = _distinct(ratios)
        self._fewest = np.full((len(self._kinds), TABLED), _UNKNOWN, dtype=np.int64)
        self._lists: list[dict[int, int]] = [{} for _ in self._kinds]  # the same in plain numbers

    def fewest(self, watches: Integers, bad: Integers) -> Integers:
        """Fewer events than this reject nothing; from this many on they do where bad events are fewer than TABLED."""
        kinds, few = self._kind[watches], _few(bad)
        found: Integers = self._fewest[kinds, few]
        if len(found) and int(found.min()) == _UNKNOWN:
            for kind, count in _pairs(kinds, few, found == _UNKNOWN):
                ratio = self._kinds[kind]
                near = _near(partial(lower_tail, count), count, _expected(count), ratio, RECOVERY_LEVEL)
                self._fewest[kind, count] = 1 + _last(_burns(count, ratio), count, near)
            found = self._fewest[kinds, few]
        return found

    def clears(self, watches: Integers, bad: Integers, total: Integers) -> Flags:
        """``rejects_still_burning`` of each."""
        found = total >= self.fewest(watches, bad)
        for place in (found & (bad >= TABLED)).nonzero()[0].tolist():
            ratio = self._kinds[int(self._kind[watches[place]])]
            found[place] = rejects_still_burning(int(bad[place]), int(total[place]), ratio)
        return found

    def clears_one(self, watch: int, bad: int, total: int) -> bool:
        """``rejects_still_burning`` of one."""
        kind = int(self._kind[watch])
        least = self._lists[kind].get(min(max(bad, 0), TABLED - 1))
        if least is None:
            least = self._lists[kind][min(max(bad, 0), TABLED - 1)] = int(
                self.fewest(np.array([watch]), np.array([bad]))[0]
            )
        return total >= least and (bad < TABLED or rejects_still_burning(bad, total, self._kinds[kind]))


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
                objective, level = self._kinds[kind]
                holds, p = _rejects(count, objective, level), 1 - objective
                near = _near(partial(upper_tail, count), count, count + 1, p, level)
                self._most[kind, count] = _last(holds, count, near) if holds(count) else 0
            most = self._most[kinds, few]
        possible: Flags = (total <= most) & (most > 0)
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


def _expected(bad: int) -> float:
    """About how many bad events must be usual for so few to come once in twenty times: Wilson's and Hilferty's cube."""
    events = bad + 1
    return events * float((1 - 1 / (9 * events) + _ONCE_IN_TWENTY / (3 * math.sqrt(events))) ** 3)


def _near(tail: Callable[[int, Fraction], float], bad: int, usual: float, ratio: Fraction, level: Fraction) -> int:
    """A total near the one at which a tail crosses a level, by secants in logarithms; only the search begins there.

    The secants begin where so many bad events would be usual.
    """
    if not 0 < ratio < 1:
        return bad + 1
    goal = math.log(level)
    low = math.log(bad + 1.0)
    total = max(round(usual / float(ratio) - (usual - bad) / 2), bad + 1)
    before = total + 1 + total // 64
    value = _log_of(tail, ratio, before) - goal
    for _ in range(_SECANTS):
        here = _log_of(tail, ratio, total) - goal
        if here == value or not math.isfinite(here):
            break
        at = math.log(total)
        nearer = min(max(at - here * (at - math.log(before)) / (here - value), low, at - 2), at + 2)
        before, value, total = total, here, max(round(math.exp(nearer)), bad + 1)
        if abs(total - before) <= 1:
            break
    return total


def _log_of(tail: Callable[[int, Fraction], float], ratio: Fraction, total: int) -> float:
    found = tail(total, ratio)
    return math.log(found) if found > 0 else -math.inf


def _last(holds: Callable[[int], bool], first: int, near: int) -> int:
    """The last number for which something holds that holds for ``first`` and, once it does not, never again."""
    low = high = max(near, first + 1)
    step = 1
    while low > first and not holds(low):
        low, high, step = max(low - step, first), low, 2 * step
    if low == high:
        step, high = 1, low + 1
        while high < _MOST and holds(high):
            low, high, step = high, high + 2 * step, 2 * step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
