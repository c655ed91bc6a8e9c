"""Thousands of SLOs with noise: rates over four decades, a third of the budget spent at random, day after day."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import DAY, HOUR, MINUTE, SECOND, Duration
from figwatch_agent.engine import Engine
from figwatch_agent.model.batch import Counted
from figwatch_agent.model.inputs import Inputs
from figwatch_agent.model.selector import Selector
from figwatch_agent.model.settings import Settings
from figwatch_agent.model.slo import Events, ServiceSlos
from support.world import START, service, settings

BEGIN = START - START % DAY
OBJECTIVES = (Fraction(99, 100), Fraction(999, 1000), Fraction(9999, 10_000))
SPENT = 1 / 3  # of the budget, on average
PER_SERVICE = 100

Counts = NDArray[np.int64]


def own_services(count: int) -> tuple[ServiceSlos, ...]:
    """SLOs on two series of their own each, with page and ticket tiers: eight windows."""
    one = replace(service(), routes=(), criteria=())
    return tuple(
        replace(
            one,
            path=f"slo/{first}.yaml",
            service=f"service-{first}",
            slos=tuple(
                replace(
                    one.slos[0],
                    name=f"own-{number}",
                    sli=Events(
                        total=(Selector(metric=f"own_{number}_total"),),
                        bad=(Selector(metric=f"own_{number}_bad_total"),),
                    ),
                    objective=OBJECTIVES[number % len(OBJECTIVES)],
                )
                for number in range(first, min(first + PER_SERVICE, count))
            ),
        )
        for first in range(0, count, PER_SERVICE)
    )


class Load:
    """Hands out what every SLO counts in a time, the same for the same seed."""

    def __init__(self, engine: Engine, seed: int = 1) -> None:
        self.keys = tuple(stream.key for stream in engine.catalog.streams)
        self._random = np.random.default_rng(seed)
        self._rates = 10 ** self._random.uniform(-1, 3, len(self.keys))  # requests a second
        objectives = [float(1 - stream.slo.objective) for stream in engine.catalog.streams]
        self._ratios = np.array(objectives) * SPENT

    def counts(self, lasts: Duration) -> tuple[Counts, Counts]:
        """(total, bad) of a tick."""
        total = self._random.poisson(self._rates * lasts / SECOND)
        return total, self._random.binomial(total, self._ratios)

    def inputs(self, now: int, lasts: Duration) -> Inputs:
        """What a source that counts itself says of a tick that ends now."""
        total, bad = self.counts(lasts)
        covered = np.full(len(self.keys), lasts, dtype=np.int64)
        return Inputs(counted=(Counted(keys=self.keys, at=now, total=total, bad=bad, covered=covered),))


def conf(interval: Duration, layout: str = "compact") -> Settings:
    """Settings of a source that is asked so often."""
    return replace(settings(interval=interval, hold=5 * MINUTE), layout=layout)  # type: ignore[arg-type]  # a known word


def pauses(interval: Duration) -> list[Duration]:
    """Ticks that fill thirty days with few of them: long ones first, thirty of the usual at the end."""
    return [*[2 * HOUR] * (27 * 12), *[30 * MINUTE] * (3 * 48 - 2), *[interval] * 30]
