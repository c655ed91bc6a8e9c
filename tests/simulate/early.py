"""The early lane at scrapes of one second: how soon it sees an outage, and how often it is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import islice, product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import MINUTE, SECOND, YEAR
from figwatch_agent.evaluate.early_lane import EarlyLane, advance_many, threshold
from simulate.false_pages import figure, of_lane, poisson_high

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]
Errors = Callable[[np.random.Generator, int, Fraction], Iterator[Counts]]

OBJECTIVES: Final = (Fraction(95, 100), Fraction(99, 100), Fraction(999, 1_000), Fraction(9_999, 10_000))
DELAY_RATES: Final = (20, 50, 100, 1_000, 10_000)
ALARM_RATES: Final = (1, 10, 100, 1_000)
LANES: Final = 1_024
HOLD: Final = 5 * MINUTE // SECOND  # scrapes for which an alert stands at least
CLUSTER: Final = 10  # failures that come together, within three scrapes
LONGEST: Final = 60  # scrapes until an outage must be seen
DELAY_HEADS: Final = (
    "requests",
    "objective",
    "half fail: median",
    "half: p99",
    "half: longest",
    "all fail: median",
    "all: p99",
    "all: longest",
)
ALARM_HEADS: Final = (
    "requests",
    "objective",
    "at the budget, at most",
    "at five budgets, seen",
    "95 % up to",
    "in clusters of ten, at the budget",
)


def delays(rate: int, objective: Fraction, ratio: float, runs: int, seed: int) -> Floats:
    """Seconds from the begin of an outage, at any moment between two scrapes, to the scrape that fires."""
    chance, lane = np.random.default_rng(seed), _lane(objective)
    limits = np.full(runs, threshold(rate, SECOND), dtype=np.int64)
    weights = [np.full(runs, weight, dtype=np.int64) for weight in (lane.bad_weight, lane.good_weight)]
    left = chance.random(runs)  # of the second in which it begins
    statistic, found = np.zeros(runs, dtype=np.int64), np.full(runs, np.inf)
    for scrape in range(LONGEST):
        hit = chance.poisson(rate * (left if scrape == 0 else np.ones(runs)))
        well = chance.poisson(rate * (1 - left)) if scrape == 0 else np.zeros(runs, dtype=np.int64)
        bad = chance.binomial(hit, ratio)
        statistic = advance_many(statistic, bad, hit - bad + well, limits, *weights)
        found = np.where((statistic >= limits) & np.isinf(found), scrape + left, found)
    return found


def alarms(rate: int, objective: Fraction, errors: Errors, scrapes: int, seed: int) -> int:
    """Times that any of many lanes fires; one that did stands for the hold before it can again."""
    chance, lane = np.random.default_rng(seed), _lane(objective)
    limits = np.full(LANES, threshold(rate, SECOND), dtype=np.int64)
    weights = [np.full(LANES, weight, dtype=np.int64) for weight in (lane.bad_weight, lane.good_weight)]
    statistic, standing = np.zeros(LANES, dtype=np.int64), np.zeros(LANES, dtype=np.int64)
    found = 0
    for bad in islice(errors(chance, rate, 1 - objective), scrapes):
        good = chance.poisson(rate * float(objective), LANES)
        statistic = np.where(standing > 0, 0, advance_many(statistic, bad, good, limits, *weights))
        fired = statistic >= limits
        found += int(fired.sum())
        standing = np.where(fired, HOLD, np.maximum(standing - 1, 0))
    return found


def independent(chance: np.random.Generator, rate: int, budget: Fraction) -> Iterator[Counts]:
    """Failures at five budgets, each by itself."""
    while True:
        yield chance.poisson(rate * 5 * float(budget), LANES)


def clustered(chance: np.random.Generator, rate: int, budget: Fraction) -> Iterator[Counts]:
    """Failures at one budget, ten together within three scrapes."""
    later, latest = np.zeros(LANES, dtype=np.int64), np.zeros(LANES, dtype=np.int64)
    while True:
        come = CLUSTER * chance.poisson(rate * float(budget) / CLUSTER, LANES)
        now = chance.binomial(come, 1 / 3)
        next_one = chance.binomial(come - now, 1 / 2)
        yield now + later
        later, latest = latest + next_one, come - now - next_one


def delay_rows(runs: int = 5_000) -> Iterator[list[str]]:
    """The published table of delays."""
    for place, (objective, rate) in enumerate(product(OBJECTIVES, DELAY_RATES)):
        row = [f"{rate:,}/s", f"{float(objective * 100):g} %"]
        for ratio in (0.5, 1.0):
            if Fraction(ratio) <= 10 * (1 - objective):
                row += ["no outage"] * 3
                continue
            found = delays(rate, objective, ratio, runs, place)
            row += [f"{each:.1f} s" for each in (*np.percentile(found, [50, 99]), found.max())]
        yield row


def alarm_rows(years: int = 1) -> Iterator[list[str]]:
    """The published table of false alarms a year of one lane."""
    scrapes = years * YEAR // SECOND // LANES
    for place, (objective, rate) in enumerate(product(OBJECTIVES[1:], ALARM_RATES)):
        seen, together = (alarms(rate, objective, errors, scrapes, place) for errors in (independent, clustered))
        yield [
            f"{rate:,}/s",
            f"{float(objective * 100):g} %",
            figure(of_lane(Fraction(rate), objective) / 2),
            figure(seen / years),
            figure(poisson_high(seen) / years),
            f"{together / years:,.0f}",
        ]


def _lane(objective: Fraction) -> EarlyLane:
    lane = EarlyLane.for_objective(objective)
    if lane is None:
        raise ValueError(f"an objective of {objective} has no early lane")
    return lane
