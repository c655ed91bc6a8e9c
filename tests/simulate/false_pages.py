"""False pages and tickets a year, of one stream that fails at exactly the rate that its objective allows.

Where a tier could fire now and then, years are played with independent requests and figwatch's own decisions. Where it
could hardly ever, the chance of a single look is summed exactly and multiplied by all looks of a year: a bound.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import DAY, MINUTE, SECOND, YEAR
from figwatch_agent.evaluate.burn_rate import over_many
from figwatch_agent.evaluate.early_lane import FEWEST_EVENTS_A_YEAR, NAT, EarlyLane, threshold
from figwatch_agent.evaluate.evidence import ALPHA_PER_STREAM, rejects_within_budget
from figwatch_agent.model.names import Severity
from figwatch_agent.model.tier import DEFAULT_TIERS, Tier

Counts = NDArray[np.int64]

PERIOD: Final = 30 * DAY
HOLD: Final = 5 * MINUTE
STEPS: Final = {Severity.PAGE: MINUTE, Severity.TICKET: 5 * MINUTE}
HARDLY: Final = 1e-3  # a bound below this many a year is published as it is
PAGES: Final = tuple(tier for tier in DEFAULT_TIERS if tier.severity is Severity.PAGE)
TICKETS: Final = tuple(tier for tier in DEFAULT_TIERS if tier.severity is Severity.TICKET)
STREAMS: Final = 5  # of a service at the full level of evidence; more of them share the level of five
PLAYED: Final = {Severity.PAGE: 100, Severity.TICKET: 20}  # years
HOURLY: Final = (1, 10, 100, 1_000)
A_SECOND: Final = (2, 10, 100, 1_000, 10_000)
RATES: Final = (*(Fraction(each, 3_600) for each in HOURLY), *(Fraction(each) for each in A_SECOND))
OBJECTIVES: Final = (Fraction(99, 100), Fraction(999, 1_000), Fraction(9_999, 10_000))
HEADS: Final = (
    "requests",
    "objective",
    "pages of a stream-year",
    "pages, 95 % up to",
    "early lane, at most",
    "pages of a service-year, 95 % up to",
    "tickets of a stream-year",
    "tickets, 95 % up to",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarms:
    """How often something fires that should not."""

    years: int  # played; 0 where it was computed
    alarms: int
    bound: float  # computed, a year; 0 where it was played

    @property
    def rate(self) -> float:
        """A year, as seen or at most."""
        return self.alarms / self.years if self.years else self.bound

    @property
    def high(self) -> float:
        """The upper end of the exact 95 % interval, or the bound."""
        return poisson_high(self.alarms) / self.years if self.years else self.bound


def false_pages(rate: Fraction, objective: Fraction, years: int, seed: int) -> Alarms:
    """Pages of both page tiers, at so many requests a second; where both fire at once it is one page."""
    bound = sum(looks_over(tier, rate, objective) for tier in PAGES)
    return Alarms(years=0, alarms=0, bound=bound) if bound < HARDLY else _played(PAGES, rate, objective, years, seed)


def false_tickets(rate: Fraction, objective: Fraction, years: int, seed: int) -> Alarms:
    """Tickets of both ticket tiers."""
    return _played(TICKETS, rate, objective, years, seed)


def _played(tiers: tuple[Tier, ...], rate: Fraction, objective: Fraction, years: int, seed: int) -> Alarms:
    chance = np.random.default_rng(seed)
    alarms = sum(played_year(tiers, rate, objective, chance) for _ in range(years))
    return Alarms(years=years, alarms=alarms, bound=0.0)


def played_year(tiers: tuple[Tier, ...], rate: Fraction, objective: Fraction, chance: np.random.Generator) -> int:
    """Alarms of one year. One that fired is over after the hold, which is the least time it can take."""
    step = STEPS[tiers[0].severity]
    before = max(tier.long for tier in tiers) // step
    count = before + YEAR // step
    mean, budget = float(rate) * step / SECOND, float(1 - objective)
    bad = _summed(chance.poisson(mean * budget, count))
    total = bad + _summed(chance.poisson(mean * (1 - budget), count))
    suspects = [(int(look), tier) for tier in tiers for look in _over(tier, bad, total, before, objective)]
    alarms, quiet_until, cut = 0, 0, 0
    for look, tier in sorted(suspects, key=lambda suspect: suspect[0]):
        if look < quiet_until:
            continue
        begin = look - tier.long // step
        failed = int(min(bad[look] - bad[begin], bad[look] - cut))
        if rejects_within_budget(failed, int(total[look] - total[begin]), objective, ALPHA_PER_STREAM):
            alarms += 1
            quiet_until = look + HOLD // step
            cut = int(bad[min(quiet_until, count)])
    return alarms


def _over(tier: Tier, bad: Counts, total: Counts, first: int, objective: Fraction) -> Counts:
    """Looks after the ``first`` at which both windows are over the tier's threshold, with two failures at least."""
    ratio, step = tier.factor(PERIOD) * (1 - objective), STEPS[tier.severity]
    back = tier.long // step
    failed = bad[first + 1 :] - bad[first + 1 - back : -back]
    some = np.flatnonzero(failed >= 2)
    looks, failed = some + first + 1, failed[some]
    expected = (total[looks] - total[looks - back]) * float(1 - objective)
    # Three standard deviations have a chance far above any level of evidence.
    looks = looks[failed > expected + 3 * np.sqrt(expected)]
    for window in (tier.long, tier.short):
        begins = looks - window // step
        failed, events = bad[looks] - bad[begins], total[looks] - total[begins]
        none = np.zeros_like(failed)
        tops, bottoms = np.full_like(failed, ratio.numerator), np.full_like(failed, ratio.denominator)
        looks = looks[over_many(failed, events, none, none, tops, bottoms)[0]]
    found: Counts = looks
    return found


def _summed(counts: Counts) -> Counts:
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)])


def looks_over(tier: Tier, rate: Fraction, objective: Fraction) -> float:
    """Looks of a year, one a second, at which a tier is over its long threshold with evidence: no fewer than alarms."""
    mean = float(rate) * tier.long / SECOND
    budget = float(1 - objective)
    chance = 0.0
    for good, weight in _goods(mean * (1 - budget)):
        chance += weight * poisson_tail(_needed(tier, good, objective), mean * budget)
    return chance * YEAR / SECOND


def _goods(mean: float) -> list[tuple[int, float]]:
    """Numbers of good events with their chances; where they are many each stands for a range, as its lower end."""
    if mean < 200:
        return [(good, poisson_point(good, mean)) for good in range(int(mean + 12 * math.sqrt(mean) + 30))]
    width = math.sqrt(mean)
    edges = [int(mean + sd * width / 4) for sd in range(-36, 37)]
    found = [(0, 1e-18)]  # below all of them: nine standard deviations
    for low, high in pairwise(edges):
        found.append((low, _normal((high - mean) / width) - _normal((low - mean) / width)))
    return found


def _needed(tier: Tier, good: int, objective: Fraction) -> int:
    """The fewest failures beside so many good events that fire a tier."""
    ratio = tier.factor(PERIOD) * (1 - objective)
    low = max(2, math.floor(ratio * good / (1 - ratio)) + 1)
    while not rejects_within_budget(low, low + good, objective, ALPHA_PER_STREAM):
        low += 1
    return low


def of_lane(rate: Fraction, objective: Fraction) -> float:
    """A bound of the early lane's false alarms a year, on the route and on its service side.

    The exponential of ``w`` times the statistic's path has no drift where the mean of ``exp(w x)`` over one event's
    weight ``x`` is 1. So a path that starts at 0 ever reaches the threshold with a chance of exp(-w threshold) at most,
    and no year has more starts than events. The cap per scrape only takes away from this.
    """
    lane = EarlyLane.for_objective(objective)
    if lane is None:
        return 0.0
    up, down, p = lane.bad_weight / NAT, lane.good_weight / NAT, float(1 - objective)
    low, high = 1.0, 50.0
    for _ in range(200):
        middle = (low + high) / 2
        drifts = p * math.exp(min(middle * up, 700.0)) + (1 - p) * math.exp(middle * down) > 1
        low, high = (low, middle) if drifts else (middle, high)
    events = float(rate) * YEAR / SECOND
    limit = threshold(round(events), YEAR) / NAT
    assert limit >= math.log(FEWEST_EVENTS_A_YEAR)
    return 2 * min(events * math.exp(-low * limit), 1e9)


def rows(years: dict[Severity, int] | None = None) -> Iterator[list[str]]:
    """The published table."""
    years = years or PLAYED
    for place, (objective, rate) in enumerate(product(OBJECTIVES, RATES)):
        pages = false_pages(rate, objective, years[Severity.PAGE], place)
        tickets = false_tickets(rate, objective, years[Severity.TICKET], 1_000 + place)
        lane = of_lane(rate, objective)
        yield [
            pace(rate),
            f"{float(objective * 100):g} %",
            figure(pages.rate) if pages.years else f"< {HARDLY:g}",
            figure(pages.high) if pages.years else f"< {HARDLY:g}",
            figure(lane),
            figure(STREAMS * (pages.high + lane)),
            figure(tickets.rate),
            figure(tickets.high),
        ]


def pace(rate: Fraction) -> str:
    """Requests, in words."""
    return f"{int(rate):,}/s" if rate >= 1 else f"{int(rate * 3_600)}/h"


def figure(number: float) -> str:
    """Three decimals, or that it is less."""
    return "0" if number == 0 else f"{number:.3f}" if number >= 0.001 else "< 0.001"


def poisson_point(count: int, mean: float) -> float:
    """P(X = count)."""
    if mean <= 0:
        return 1.0 if count == 0 else 0.0
    return math.exp(count * math.log(mean) - mean - math.lgamma(count + 1))


def poisson_tail(least: int, mean: float) -> float:
    """P(X >= least), summed from the first term where that lies above the mean; 1 at most."""
    if least <= mean:
        return 1.0
    term = found = poisson_point(least, mean)
    count = least
    while term > found * 1e-12 and term > 0:
        count += 1
        term *= mean / count
        found += term
    return min(found, 1.0)


def poisson_high(count: int) -> float:
    """The mean at which so few have a chance of 2.5 %: the upper end of the exact 95 % interval."""
    low, high = float(count), 3.0 * count + 10
    for _ in range(100):
        middle = (low + high) / 2
        few = sum(poisson_point(each, middle) for each in range(count + 1)) > 0.025
        low, high = (middle, high) if few else (low, middle)
    return high


def _normal(z: float) -> float:
    return 0.5 * math.erfc(-z / math.sqrt(2))
