"""Tiers, recovery and budgets against a plain list of events, in whole numbers and Fractions."""

from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache
from math import comb
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from figwatch_agent.durations import HOUR, MINUTE, SECOND
from figwatch_agent.model.slo import Availability
from figwatch_agent.model.view import StreamView
from support.engine import COMPACT, compact
from support.world import World
from support.world import settings as configured

OBJECTIVE, BUDGET = Fraction(999, 1000), Fraction(1, 1000)
ALPHA = Fraction(1, 100_000)
TICK, HOLD = 10 * SECOND, 30 * SECOND
TIERS = {"fast": (Fraction(144, 10), 2 * MINUTE, 20 * SECOND), "slow": (Fraction(6), 10 * MINUTE, MINUTE)}


@lru_cache(maxsize=4096)
def at_least(bad: int, total: int, ratio: Fraction) -> Fraction:
    """P(at least ``bad`` of ``total`` fail), term by term."""
    top, bottom = ratio.numerator, ratio.denominator
    below = sum(comb(total, k) * top**k * (bottom - top) ** (total - k) for k in range(min(bad, total + 1)))
    return 1 - Fraction(below, bottom**total)


@dataclass(frozen=True)
class Tick:
    """What was counted at an instant; covered is 0 where it belongs to no window."""

    at: int
    bad: int
    total: int
    covered: int


@dataclass
class Tier:
    """One tier as the rules describe it."""

    factor: Fraction
    long: int
    short: int
    firing: bool = False
    cut: int = 0  # bad events up to this instant cannot fire it
    run: list[Tick] = field(default_factory=list)  # bad ticks of the run

    @property
    def ratio(self) -> Fraction:
        return self.factor * BUDGET


@dataclass
class Oracle:
    """The rules over a list of ticks."""

    tiers: dict[str, Tier]
    ticks: list[Tick] = field(default_factory=list)

    def inside(self, length: int, now: int, cut: int = 0) -> tuple[int, int, int]:
        kept = [tick for tick in self.ticks if now - length < tick.at <= now and tick.covered]
        bad = sum(tick.bad for tick in kept if tick.at > cut)
        return bad, sum(tick.total for tick in kept), sum(tick.covered for tick in kept)

    def take(self, tick: Tick, known: bool) -> None:
        self.ticks.append(tick)
        for tier in self.tiers.values():
            if tick.covered and tick.bad >= 2 and Fraction(tick.bad, tick.total) > tier.ratio:
                tier.run.append(tick)
        fired = [tier for tier in self.tiers.values() if not tier.firing and known and self.burns(tier, tick.at)]
        for tier in fired:
            tier.firing = True
        paged = self.tiers["fast"].firing
        for tier in self.tiers.values():
            if tier.firing and known and self.recovered(tier, tick.at):
                self.end(tier, tick.at)
        slow, ended = self.tiers["slow"], paged and not self.tiers["fast"].firing
        if ended and slow.firing and self.quiet(slow, tick.at):  # the ticket ends with the page
            self.end(slow, tick.at)
        for tier in self.tiers.values():
            if tier.run and not tier.firing and self.recovered(tier, tick.at):
                tier.run = []

    def end(self, tier: Tier, now: int) -> None:
        tier.firing = False
        for other in self.tiers.values():
            if not other.firing:
                other.cut, other.run = now, []

    def last_bad(self, tier: Tier) -> int:
        failures = [tick.at for tick in self.ticks if tick.bad and tick.covered]
        return tier.run[-1].at if tier.run else max(failures, default=0)

    def quiet(self, tier: Tier, now: int) -> bool:
        return now - self.last_bad(tier) >= HOLD

    def burns(self, tier: Tier, now: int) -> bool:
        for length in (tier.long, tier.short):
            bad, total, covered = self.inside(length, now, tier.cut)
            if not covered or bad <= tier.ratio * self.with_imputed(total, covered, length):
                return False
        bad, total, covered = self.inside(tier.long, now, tier.cut)
        events = self.with_imputed(total, covered, tier.long)
        return bad >= 2 and at_least(bad, max(events, bad), BUDGET) <= ALPHA and not self.recovered(tier, now)

    @staticmethod
    def with_imputed(total: int, covered: int, length: int) -> int:
        missing = total * Fraction(max(length - covered, 0), covered)
        return total + -(-missing.numerator // missing.denominator)

    def recovered(self, tier: Tier, now: int) -> bool:
        last = self.last_bad(tier)
        if not self.quiet(tier, now):
            return False
        since = [tick for tick in self.ticks if tick.at > last and tick.covered]
        bad, total = sum(tick.bad for tick in since), sum(tick.total for tick in since)
        return total > 0 and 1 - at_least(bad + 1, total, tier.ratio) <= Fraction(1, 20)


def availability_only() -> Any:
    service = compact()
    slo = replace(service.slos[0], sli=Availability(), objective=OBJECTIVE, tiers=COMPACT, early=False)
    tiers = (replace(COMPACT[0], short=20 * SECOND), COMPACT[1])
    return replace(service, slos=(replace(slo, tiers=tiers),), criteria=())


moments = st.tuples(
    st.sampled_from([(20, 0), (20, 0), (20, 0), (60, 0), (19, 1), (15, 5), (0, 20), (0, 0), (60, 1), (1, 1)]),
    st.sampled_from(["", "", "", "", "", "", "", "", "down"]),
    st.integers(1, 9),
)


@settings(max_examples=30, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(story=st.lists(moments, min_size=1, max_size=14), calm=st.integers(0, 40))
def test_tiers_fire_and_resolve_and_budgets_stand_as_a_list_of_events_says(
    story: list[tuple[tuple[int, int], str, int]], calm: int
) -> None:
    world = World((availability_only(),), configured(interval=TICK, hold=HOLD))
    oracle = Oracle({name: Tier(*shape) for name, shape in TIERS.items()})
    world.serve(good=1, bad=1)  # both series stand on the first page
    world.tick(10)
    answered_at, waiting = world.now, [0, 0]
    untimed = [0, 0]
    steps = [((20, 0), "", calm), *story]
    for (good, bad), happening, ticks in steps:
        for _ in range(ticks):
            world.up = happening != "down"
            world.serve(good=good, bad=bad)
            waiting = [waiting[0] + bad, waiting[1] + good + bad]
            world.tick(10)
            gap = world.now - answered_at
            known = world.up and gap <= TICK * 5 // 2
            if world.up:
                untimed = [a + b * (not known) for a, b in zip(untimed, waiting, strict=True)]
                oracle.take(Tick(world.now, waiting[0] * known, waiting[1] * known, gap * known), known)
                answered_at, waiting = world.now, [0, 0]
            else:
                oracle.take(Tick(world.now, 0, 0, 0), known=False)
            check(world, oracle, untimed)


def check(world: World, oracle: Oracle, untimed: list[int]) -> None:
    seen: StreamView = world.engine.view(world.now).streams[0]
    assert {tier.name: tier.firing for tier in seen.tiers} == {name: t.firing for name, t in oracle.tiers.items()}
    bad, total, covered = oracle.inside(HOUR, world.now)
    assert (seen.counts.bad, seen.counts.total) == (bad, total)
    assert seen.coverage == min(Fraction(covered, HOUR), 1)
    assert seen.budget_left == (None if not total else 1 - Fraction(bad, total) / BUDGET)
    everything = sum(t.bad for t in oracle.ticks) + untimed[0], sum(t.total for t in oracle.ticks) + untimed[1]
    assert (seen.totals.bad, seen.totals.total) == everything
    for shown in seen.tiers:
        bad, total, _ = oracle.inside(shown.long, world.now)
        assert shown.burn_low == shown.burn_high == (None if not total else Fraction(bad, total) / BUDGET)
