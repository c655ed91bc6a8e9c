"""The comparison of a route's sides, looked at every second: how often it is wrong, and how soon it knows.

Incidents are counts a second, cumulated, so that every window is a difference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.evaluate.comparison import Counts, Outcome, Sides, compare
from simulate.false_pages import poisson_high

Integers = NDArray[np.int64]

THREE_NINES: Final = Fraction(999, 1000)
PAGE: Final = Fraction(144, 10)
WINDOWS: Final = (5, 15, 60, 300)  # seconds
BEFORE: Final = max(WINDOWS)
NULLS: Final = (
    ((40.0, 10.0), 0.0005),
    ((40.0, 10.0), 0.02),
    ((40.0, 10.0), 0.5),
    ((5.0, 1.0), 0.2),
    ((200.0, 10.0), 0.05),
)


RUNS: Final = 2_000
LOOKS: Final = 120
KNOWN: Final = 300
HEADS: Final = (
    "requests, service and control",
    "both fail",
    "incidents",
    "looks at each",
    "falsely worse",
    "95 % up to",
    "half of the service fails alone: known after",
    "half of both fails: known after",
)


def rows(runs: int = RUNS, looks: int = LOOKS, known: int = KNOWN) -> Iterator[list[str]]:
    """The published table. Times to know are those of 99 in 100 incidents in which only the service, or both, fail."""
    for rates, ratio in NULLS:
        wrong = falsely_worse(runs, looks, rates, ratio, seed=18)
        alone = looks_until_known(rates, (0.5, 0.0005), runs=known, seed=21)
        both = looks_until_known(rates, (0.5, 0.5), runs=known, seed=22)
        yield [
            f"{rates[0]:g}/s and {rates[1]:g}/s",
            f"{ratio:.2%}",
            f"{runs:,}",
            str(looks),
            str(wrong),
            f"{poisson_high(wrong) / runs:.2%}",
            within(alone, known),
            within(both, known),
        ]


def within(taken: Counter[int], runs: int) -> str:
    """Seconds within which 99 of 100 were known."""
    known = 0
    for look in sorted(look for look in taken if look > 0):
        known += taken[look]
        if 100 * known >= 99 * runs:
            return f"{look} s"
    return "more than 20 s"


def _cumulated(chance: np.random.Generator, rate: float, ratios: list[float]) -> Integers:
    """Rows of (bad, total) since the beginning, one a second and one before the first."""
    total = chance.poisson(rate, len(ratios))
    bad = chance.binomial(total, ratios)
    return np.vstack([np.zeros((1, 2), dtype=np.int64), np.cumsum(np.column_stack([bad, total]), axis=0)])


def _sides(service: Integers, control: Integers, now: int) -> list[Sides]:
    def counts(side: Integers, window: int) -> Counts:
        bad, total = side[now] - side[now - window]
        return Counts(bad=int(bad), total=int(total))

    return [Sides(window=w * 1000, service=counts(service, w), control=counts(control, w)) for w in WINDOWS]


def _might_be_worse(sides: list[Sides]) -> bool:
    """A screen that saves time and hides nothing: `worse` needs bounds far apart, hence counts far apart."""
    for s in sides:
        if s.service.total and s.control.total and s.service.bad > 1:
            pooled = (s.service.bad + s.control.bad) / (s.service.total + s.control.total)
            error = (pooled * (1 - pooled) * (1 / s.service.total + 1 / s.control.total)) ** 0.5
            if s.service.bad / s.service.total - s.control.bad / s.control.total > 3 * error:
                return True
    return False


def falsely_worse(runs: int, looks: int, rates: tuple[float, float], ratio: float, seed: int) -> int:
    """How many of `runs` incidents without any difference call the service worse at one of their looks."""
    chance, wrong = np.random.default_rng(seed), 0
    for _ in range(runs):
        # The fault begins with the first look, and hits both sides alike.
        ratios = [0.0005] * BEFORE + [ratio] * looks
        service, control = (_cumulated(chance, rate, ratios) for rate in rates)
        for look in range(1, looks + 1):
            sides = _sides(service, control, BEFORE + look)
            if _might_be_worse(sides) and compare(sides, look, THREE_NINES, PAGE).outcome is Outcome.WORSE:
                wrong += 1
                break
    return wrong


def looks_until_known(rates: tuple[float, float], faults: tuple[float, float], runs: int, seed: int) -> Counter[int]:
    """Looks, one a second from the fault on, until the outcome is no longer undecided; -1 where it was a wrong one."""
    chance, taken = np.random.default_rng(seed), Counter[int]()
    right = Outcome.WORSE if faults[0] > faults[1] else Outcome.SHARED
    for _ in range(runs):
        service, control = (
            _cumulated(chance, rate, [0.0005] * BEFORE + [fault] * 20)
            for rate, fault in zip(rates, faults, strict=True)
        )
        for look in range(1, 21):
            outcome = compare(_sides(service, control, BEFORE + look), look, THREE_NINES, PAGE).outcome
            if outcome is not Outcome.UNDECIDED:
                taken[look if outcome is right else -1] += 1
                break
    return taken
