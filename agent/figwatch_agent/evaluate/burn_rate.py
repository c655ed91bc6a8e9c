"""Burn-rate tiers: factors, how fast they detect and reset, and the exact decision over bounded windows.

A window that starts inside a coarse slot has hard bounds instead of an interpolated guess. The slot's events may lie
inside the window or before it, so the lowest ratio has the slot's bad events outside and its good ones inside, the
highest has it the other way round. Where both fall on one side of the threshold the decision is certified.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import DAY, HOUR, MINUTE, Duration

INT64_MAX = 2**63 - 1

Integers: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, slots=True)
class TierShape:
    """What makes a tier: it fires when `share` of the period's budget would be spent within `long`."""

    severity: Literal["page", "ticket"]
    share: Fraction  # of the period's error budget
    long: Duration
    short: Duration  # the tier stays up only while this window burns too


# Google, The Site Reliability Workbook, chapter 5 "Alerting on SLOs", table 5-8: the first three rows with their
# share of the budget, and the second ticket tier of 10 % in three days; a short window is a twelfth of the long one.
DEFAULT_TIERS: tuple[TierShape, ...] = (
    TierShape(severity="page", share=Fraction(2, 100), long=1 * HOUR, short=5 * MINUTE),
    TierShape(severity="page", share=Fraction(5, 100), long=6 * HOUR, short=30 * MINUTE),
    TierShape(severity="ticket", share=Fraction(10, 100), long=1 * DAY, short=2 * HOUR),
    TierShape(severity="ticket", share=Fraction(10, 100), long=3 * DAY, short=6 * HOUR),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """Whether a window burns faster than a threshold, and whether the slot at its edge could change that."""

    over: bool
    certified: bool


def tier_factor(share: Fraction, long: Duration, period: Duration) -> Fraction:
    """The burn rate that spends `share` of the budget of `period` within `long` (both milliseconds)."""
    if long <= 0 or period <= 0:
        raise ValueError(f"windows are positive milliseconds, got long {long} and period {period}")
    return share * period / long


def threshold_ratio(factor: Fraction, objective: Fraction) -> Fraction:
    """The error ratio at which a tier of this factor stands exactly on its threshold."""
    return factor * (1 - objective)


def can_fire(factor: Fraction, objective: Fraction) -> bool:
    """Whether any error ratio can exceed the threshold: a ratio never exceeds 1, so factor x budget must be below 1."""
    return threshold_ratio(factor, objective) < 1


def detect_time(factor: Fraction, objective: Fraction, error_ratio: Fraction, long: Duration) -> Duration | None:
    """Milliseconds from the start of a steady `error_ratio` to the threshold of the long window, rounded up.

    Traffic is steady and clean before. None when this ratio never exceeds the threshold.
    """
    threshold = threshold_ratio(factor, objective)
    return None if error_ratio <= threshold else _round_up(threshold / error_ratio * long)


def reset_time(factor: Fraction, objective: Fraction, error_ratio: Fraction, short: Duration) -> Duration | None:
    """Milliseconds from the end of a steady `error_ratio` until the short window falls to the threshold, rounded up.

    None when this ratio never exceeds the threshold.
    """
    threshold = threshold_ratio(factor, objective)
    return None if error_ratio <= threshold else _round_up(short * (1 - threshold / error_ratio))


def over(
    bad_in: int,
    total_in: int,
    bad_edge: int,
    total_edge: int,
    factor: Fraction,
    objective: Fraction,
    *,
    unsure_is_over: bool = False,
) -> Verdict:
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


def _decide(counts: tuple[int, int, int, int], numerator: int, denominator: int, unsure_is_over: bool) -> Verdict:
    bad_in, total_in, bad_edge, total_edge = counts
    # A source may count more good events than events; what it lacks must not turn the bounds round.
    bad_out, good_out = max(bad_edge, 0), max(total_edge - bad_edge, 0)
    lowest = bad_in * denominator > numerator * (total_in + good_out)
    highest = (bad_in + bad_out) * denominator > numerator * (total_in + bad_out)
    certified = lowest == highest
    return Verdict(over=lowest if certified else unsure_is_over, certified=certified)


def _fits(
    bad_in: Integers, total_in: Integers, bad_edge: Integers, total_edge: Integers, top: Integers, bottom: Integers
) -> Flags:
    """Where no sum of three counts, multiplied by either part of the threshold, leaves 64 bits."""
    limit = INT64_MAX // 3 // np.maximum(np.maximum(top, bottom), 1)
    fits = np.ones(bad_in.shape, dtype=np.bool_)
    for counts in (bad_in, total_in, bad_edge, total_edge):
        fits &= (counts <= limit) & (counts >= -limit)
    return fits


def _round_up(value: Fraction) -> int:
    return -(-value.numerator // value.denominator)
