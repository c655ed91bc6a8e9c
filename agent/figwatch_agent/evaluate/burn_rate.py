"""Burn rates: the exact decision over bounded windows.

A window that starts inside a coarse slot has hard bounds instead of an interpolated guess. The slot's events may lie
inside the window or before it, so the lowest ratio has the slot's bad events outside and its good ones inside, the
highest has it the other way round. Where both fall on one side of the threshold the decision is certified.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

INT64_MAX = 2**63 - 1

Integers: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, slots=True)
class Crossing:
    """Whether a window burns faster than a threshold, and whether the slot at its edge could change that."""

    over: bool
    certified: bool


def threshold_ratio(factor: Fraction, objective: Fraction) -> Fraction:
    """The error ratio at which a tier of this factor stands exactly on its threshold."""
    return factor * (1 - objective)


def over(
    bad_in: int,
    total_in: int,
    bad_edge: int,
    total_edge: int,
    factor: Fraction,
    objective: Fraction,
    *,
    unsure_is_over: bool = False,
) -> Crossing:
    """Whether the window's error ratio exceeds factor x budget, strictly, without rounding.

    `_in` are the events surely inside the window, `_edge` those of the slot its start cuts. Where the bounds disagree
    the verdict is not certified and says `unsure_is_over`: False is conservative for firing, True for passing a gate.
    A window without traffic is never over.
    """
    threshold = threshold_ratio(factor, objective)
    return _decide((bad_in, total_in, bad_edge, total_edge), threshold.numerator, threshold.denominator, unsure_is_over)


def over_many(
    bad_in: Integers,
    total_in: Integers,
    bad_edge: Integers,
    total_edge: Integers,
    threshold_numerator: Integers,
    threshold_denominator: Integers,
    *,
    unsure_is_over: bool = False,
) -> tuple[Flags, Flags]:
    """The arrays (over, certified) for many windows at once, equal to `over` element by element.

    All arrays are int64 of one shape; the threshold is factor x budget as numerator / positive denominator (see
    `threshold_arrays`). Machine integers decide wherever every count is at most (2**63 - 1) // (3 x the larger of
    numerator and denominator), which is 4.9 x 10**15 events for a threshold of 1.44 % (9/625) and 3 x 10**12 at a
    denominator of a million; the few elements beyond are decided one by one in unbounded integers.
    """
    safe = _fits(bad_in, total_in, bad_edge, total_edge, threshold_numerator, threshold_denominator)
    with np.errstate(over="ignore"):  # the elements that wrap are the unsafe ones, decided again below
        bad_out = np.maximum(bad_edge, 0)
        good_out = np.maximum(total_edge - bad_edge, 0)
        lowest = bad_in * threshold_denominator > threshold_numerator * (total_in + good_out)
        highest = (bad_in + bad_out) * threshold_denominator > threshold_numerator * (total_in + bad_out)
    certified = lowest == highest
    decided = np.where(certified, lowest, unsure_is_over)
    for i in np.flatnonzero(~safe):
        counts = (int(bad_in[i]), int(total_in[i]), int(bad_edge[i]), int(total_edge[i]))
        verdict = _decide(counts, int(threshold_numerator[i]), int(threshold_denominator[i]), unsure_is_over)
        decided[i], certified[i] = verdict.over, verdict.certified
    return decided, certified


def threshold_arrays(thresholds: list[Fraction]) -> tuple[Integers, Integers]:
    """Numerators and denominators for `over_many`; OverflowError where one does not fit 64 bits."""
    numerators = np.array([t.numerator for t in thresholds], dtype=np.int64)
    return numerators, np.array([t.denominator for t in thresholds], dtype=np.int64)


def _decide(counts: tuple[int, int, int, int], numerator: int, denominator: int, unsure_is_over: bool) -> Crossing:
    bad_in, total_in, bad_edge, total_edge = counts
    # A source may count more good events than events; what it lacks must not turn the bounds round.
    bad_out, good_out = max(bad_edge, 0), max(total_edge - bad_edge, 0)
    lowest = bad_in * denominator > numerator * (total_in + good_out)
    highest = (bad_in + bad_out) * denominator > numerator * (total_in + bad_out)
    certified = lowest == highest
    return Crossing(over=lowest if certified else unsure_is_over, certified=certified)


def _fits(
    bad_in: Integers, total_in: Integers, bad_edge: Integers, total_edge: Integers, top: Integers, bottom: Integers
) -> Flags:
    """Where no sum of three counts, multiplied by either part of the threshold, leaves 64 bits."""
    limit = INT64_MAX // 3 // np.maximum(np.maximum(top, bottom), 1)
    fits = np.ones(bad_in.shape, dtype=np.bool_)
    for counts in (bad_in, total_in, bad_edge, total_edge):
        fits &= (counts <= limit) & (counts >= -limit)
    return fits
