"""The early lane: a one-sided CUSUM on counts that sees an outage within seconds.

The statistic is the sum of log-likelihood ratios of "p1" against "p0", never below 0. By Lorden's bound it crosses a
threshold of log(events a year) at most once a year while independent errors stay at p0. Errors that come in clusters
(retries, one broken client) break that bound; a cap per scrape tames them, and nothing is promised for them.

Statistics, weights and thresholds are integers in millionths of a nat, so that one lane and an array of lanes give the
same result to the last digit on every machine.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import YEAR, Duration
from figwatch_agent.model.tier import EARLY_NULL_BUDGETS, early_possible

Integers: TypeAlias = NDArray[np.int64]

NAT = 1_000_000

OUTAGE = Fraction(20, 100)  # p1 while p0 is small
OUTAGE_UP_TO = Fraction(2, 100)  # the largest p0 for which 20 % still stands well apart from it

# Below eleven requests an hour a year has fewer than 100,000 events. The threshold stays there: a rate estimated from
# an agent's first seconds may be 0, and the third failure in a row would already be an alert.
FEWEST_EVENTS_A_YEAR = 100_000

# Three scrapes at least: one burst or one broken client in one scrape fires nothing.
SCRAPES_TO_FIRE = 3

_NEAR = 1e-6  # millionths of a nat: far more than the last digits of a logarithm of at most 50 nats

_MOST_EVENTS = 2**36  # events of one scrape for which a count times a weight stays far inside 64 bits


@dataclass(frozen=True, kw_only=True, slots=True)
class EarlyLane:
    """What one event adds to the statistic of a stream with a given objective."""

    p0: Fraction  # error ratio that must not fire
    p1: Fraction  # error ratio that must fire at once; a tick above it is a bad tick of this tier
    bad_weight: int  # millionths of a nat, positive
    good_weight: int  # millionths of a nat, negative

    @classmethod
    def for_objective(cls, objective: Fraction) -> "EarlyLane | None":
        """The lane of an objective between 0 and 1; None where the objective is too low for one."""
        if not 0 < objective < 1:
            raise ValueError(f"an objective lies between 0 and 1, both excluded, got {objective}")
        if not early_possible(objective):
            return None
        p0 = EARLY_NULL_BUDGETS * (1 - objective)
        p1 = OUTAGE if p0 <= OUTAGE_UP_TO else (1 + p0) / 2
        return cls(p0=p0, p1=p1, bad_weight=_weight(p1, p0), good_weight=_weight(1 - p1, 1 - p0))

    def advance(self, statistic: int, bad: int, good: int, threshold: int) -> int:
        """The statistic after one scrape's events, between 0 and `threshold`; it fires when it reaches `threshold`.

        A scrape adds at most a third of the threshold. The statistic stops at the threshold, so that a long outage
        needs no long recovery.
        """
        gain = min(bad * self.bad_weight + good * self.good_weight, most_per_scrape(threshold))
        return min(max(statistic + gain, 0), threshold)


def threshold(events: int, over: Duration) -> int:
    """log(events a year) in millionths of a nat, from recent `events` counted over `over` milliseconds.

    Never below log(100,000), which is the threshold of a stream with eleven requests an hour.
    """
    if over <= 0:
        raise ValueError(f"the recent rate needs a time longer than 0 ms, got {over}")
    a_year = max(Fraction(events * YEAR, over), Fraction(FEWEST_EVENTS_A_YEAR))
    return math.ceil(math.log(a_year) * NAT)


def threshold_many(events: Integers, over: Integers) -> Integers:
    """`threshold` for many streams at once, with equal results; every time must be longer than 0."""
    with np.errstate(over="ignore"):
        a_year = np.maximum(events.astype(np.float64) * YEAR / over, FEWEST_EVENTS_A_YEAR)
    nats = np.log(a_year) * NAT
    found: Integers = np.ceil(nats).astype(np.int64)
    # A float may fall on the wrong side of a whole number that is this near.
    for i in np.flatnonzero(np.abs(nats - np.rint(nats)) < _NEAR):
        found[i] = threshold(int(events[i]), int(over[i]))
    return found


def most_per_scrape(threshold: int) -> int:
    """A third of the threshold, rounded up so that three full scrapes reach it."""
    return -(-threshold // SCRAPES_TO_FIRE)


def advance_many(
    statistics: Integers,
    bad: Integers,
    good: Integers,
    thresholds: Integers,
    bad_weights: Integers,
    good_weights: Integers,
) -> Integers:
    """`EarlyLane.advance` for many lanes at once, with equal results; a lane fires where the result is its threshold.

    Counts beyond 2**36 in one scrape are worked out one by one in unbounded integers.
    """
    # Only huge counts can wrap, without a word; they are worked out again below.
    gain = np.minimum(bad * bad_weights + good * good_weights, -(-thresholds // SCRAPES_TO_FIRE))
    if bad.size and any(int(c.max()) > _MOST_EVENTS or int(c.min()) < -_MOST_EVENTS for c in (bad, good)):
        for i in np.flatnonzero((np.abs(bad) > _MOST_EVENTS) | (np.abs(good) > _MOST_EVENTS)):
            exact = int(bad[i]) * int(bad_weights[i]) + int(good[i]) * int(good_weights[i])
            gain[i] = max(min(exact, most_per_scrape(int(thresholds[i]))), -int(statistics[i]))
    return np.minimum(np.maximum(statistics + gain, 0), thresholds)


def _weight(under_p1: Fraction, under_p0: Fraction) -> int:
    """The log-likelihood ratio of one event, rounded down: rounding never raises the false alarms."""
    return math.floor(math.log(under_p1 / under_p0) * NAT)
