"""Tiers, early lanes and their recovery on one stream, from the rules alone: a list of ticks and whole numbers."""

from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from fractions import Fraction

from support.exact import at_least, below, clears, decimal, logarithm

MINUTE, YEAR = 60_000, 365 * 86_400_000
MILLIONTHS = 1_000_000
FEWEST_A_YEAR = Fraction(100_000)

Pair = tuple[int, int]
"""(bad, total)."""


@dataclass(frozen=True)
class Tick:
    """What was counted between two answers; covered is 0 where it belongs to no window."""

    at: int
    covered: int = 0
    users: Pair = (0, 0)  # whoever served them
    service: Pair = (0, 0)
    known: bool = False

    @property
    def since(self) -> int:
        return self.at - self.covered


@dataclass
class Alarm:
    """One reason to raise an alert, and the ticks that speak for it."""

    name: str
    ratio: Fraction  # error ratio above which it fires, and above which a tick is bad
    page: bool
    service: bool = False  # counts the service side alone
    firing: bool = False
    run: list[Tick] = field(default_factory=list)  # its bad ticks
    stand_ins: list[Tick] = field(default_factory=list)  # what stands in where no tick is bad
    cut: int = 0  # bad events up to this instant cannot fire it

    def counts(self, tick: Tick) -> Pair:
        return tick.service if self.service else tick.users

    def speaks(self, bad: int, total: int) -> bool:
        """Whether the failures of a tick, be it one alone, speak for this alarm."""
        return bad > self.ratio * total

    def take(self, tick: Tick) -> None:
        bad, total = self.counts(tick)
        if bad >= 2 and bad > self.ratio * total:
            self.run.append(tick)
        if bad >= 1 and self.speaks(bad, total):
            self.stand_ins.append(tick)

    def end_run(self) -> None:
        self.run, self.stand_ins = [], []

    @property
    def began(self) -> int | None:
        ticks = self.run or self.stand_ins
        return ticks[0].since if ticks else None

    @property
    def last_bad(self) -> int | None:
        ticks = self.run or self.stand_ins
        return ticks[-1].at if ticks else None


@dataclass
class Tier(Alarm):
    """A burn-rate alert over two windows."""

    long: int = 0
    short: int = 0


@dataclass
class Lane(Alarm):
    """A CUSUM in millionths of a nat: weights rounded down, the threshold up."""

    up: int = 0
    down: int = 0
    statistic: int = 0
    threshold: int = 0

    @classmethod
    def of(cls, name: str, objective: Fraction, *, service: bool) -> "Lane":
        p0 = 5 * (1 - objective)
        p1 = Fraction(1, 5) if p0 <= Fraction(1, 50) else (1 + p0) / 2
        up, down = (int(_rounded(logarithm(each), ROUND_FLOOR)) for each in (p1 / p0, (1 - p1) / (1 - p0)))
        start = _rounded(logarithm(FEWEST_A_YEAR), ROUND_CEILING)
        return cls(name, p1, page=True, service=service, up=up, down=down, threshold=start)

    def speaks(self, bad: int, total: int) -> bool:
        return bad * self.up + (total - bad) * self.down > 0

    def step(self, tick: Tick) -> None:
        bad, total = self.counts(tick)
        gain = min(bad * self.up + (total - bad) * self.down, -(-self.threshold // 3))
        self.statistic = min(max(self.statistic + gain, 0), self.threshold)


def _rounded(nats: Decimal, way: str) -> int:
    return int((nats * MILLIONTHS).to_integral_value(rounding=way))


@dataclass
class Alarms:
    """All alarms of one stream over its ticks; ``take`` gives what fired and what ended."""

    objective: Fraction
    hold: int
    each: list[Alarm]
    alpha: Fraction = Fraction(1, 100_000)
    ticks: list[Tick] = field(default_factory=list)
    fired: list[Alarm] = field(default_factory=list)
    ended: list[tuple[Alarm, int | None]] = field(default_factory=list)

    def take(self, tick: Tick) -> None:
        before = self.ticks[-1].at if self.ticks else tick.at
        self.ticks.append(tick)
        self.fired, self.ended = [], []
        for alarm in self.each:
            alarm.take(tick)
            if not alarm.firing and alarm.stand_ins and clears(*self.since(alarm, alarm.stand_ins[-1].at), alarm.ratio):
                alarm.stand_ins = []
        self.run_lanes(tick, before)
        for alarm in self.each:
            if tick.known and not alarm.firing and self.fires(alarm, tick.at):
                self.fired.append(alarm)
        for alarm in self.fired:
            alarm.firing = True
        for alarm in self.each:
            if alarm.firing and tick.known and self.recovered(alarm, tick.at):
                self.end(alarm, tick.at)

    def rest(self, now: int) -> None:
        """Runs that nobody fires on end as alerts do."""
        for alarm in self.each:
            rested = alarm.run and not alarm.firing and self.quiet(alarm, now)
            if rested and clears(*self.since(alarm, alarm.run[-1].at), alarm.ratio):
                alarm.end_run()

    def end(self, alarm: Alarm, now: int) -> None:
        """Nothing that was counted so far can fire what does not fire now."""
        self.ended.append((alarm, alarm.last_bad))
        alarm.firing = False
        for other in self.each:
            if not other.firing:
                other.cut = now
                other.end_run()
                if isinstance(other, Lane):
                    other.statistic = 0

    def since(self, alarm: Alarm, instant: int) -> Pair:
        later = [alarm.counts(tick) for tick in self.ticks if tick.at > instant]
        return sum(bad for bad, _ in later), sum(total for _, total in later)

    def quiet(self, alarm: Alarm, now: int) -> bool:
        return alarm.last_bad is None or now - alarm.last_bad >= self.hold

    def recovered(self, alarm: Alarm, now: int) -> bool:
        if alarm.service and all(tick.service[1] == 0 for tick in self.ticks if tick.at > now - self.hold):
            return self.route_is_well(alarm, now)
        last = alarm.last_bad
        return last is not None and self.quiet(alarm, now) and clears(*self.since(alarm, last), alarm.ratio)

    def route_is_well(self, alarm: Alarm, now: int) -> bool:
        """Nobody is served by the service side any more: the whole route says whether users are well."""
        whole = next(other for other in self.each if other.ratio == alarm.ratio and not other.service)
        last = max([each.at for each in whole.run[-1:]] + [alarm.last_bad or 0])
        return now - last >= self.hold and clears(*self.since(whole, last), alarm.ratio)

    def run_lanes(self, tick: Tick, before: int) -> None:
        hour = [each for each in self.ticks if each.at > tick.at - 60 * MINUTE]
        covered = sum(each.covered for each in hour)
        fresh = tick.at // MINUTE != before // MINUTE or covered < 2 * MINUTE
        for lane in self.each:
            if isinstance(lane, Lane):
                if lane.statistic == 0 and covered and fresh:
                    events = Fraction(sum(lane.counts(each)[1] for each in hour) * YEAR, covered)
                    lane.threshold = _rounded(logarithm(max(events, FEWEST_A_YEAR)), ROUND_CEILING)
                lane.step(tick)

    def fires(self, alarm: Alarm, now: int) -> bool:
        if isinstance(alarm, Lane):
            return alarm.statistic >= alarm.threshold
        assert isinstance(alarm, Tier)
        for length in (alarm.long, alarm.short):
            bad, total, covered = self.inside(length, now, alarm.cut)
            if not covered or bad <= alarm.ratio * _with_imputed(total, covered, length):
                return False
        bad, total, covered = self.inside(alarm.long, now, alarm.cut)
        events = max(_with_imputed(total, covered, alarm.long), bad)
        sure = bad >= 2 and below(at_least(bad, events, decimal(1 - self.objective)), self.alpha)
        return sure and not self.over_already(alarm, now)

    def over_already(self, alarm: Alarm, now: int) -> bool:
        """A burst may still fill the windows when all is well again."""
        last = max([each.at for each in self.ticks if each.users[0] and alarm.speaks(*each.users)], default=0)
        return self.quiet(alarm, now) and clears(*self.since(alarm, alarm.last_bad or last), alarm.ratio)

    def inside(self, length: int, now: int, cut: int) -> tuple[int, int, int]:
        kept = [tick for tick in self.ticks if now - length < tick.at <= now and tick.covered]
        bad = sum(tick.users[0] for tick in kept if tick.at > cut)
        return bad, sum(tick.users[1] for tick in kept), sum(tick.covered for tick in kept)


def _with_imputed(total: int, covered: int, length: int) -> int:
    missing = Fraction(total * max(length - covered, 0), covered)
    return total + -(-missing.numerator // missing.denominator)
