"""Uptime from probes: up, down or unknown at every millisecond, and what that says about a promise."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from figwatch_agent.durations import Duration, Instant
from figwatch_agent.evaluate.criteria import Judgement, judge
from figwatch_agent.model.target import Target

HOLD_INTERVALS = 2  # a probe speaks for the time until the next one, at most two intervals


@dataclass(frozen=True, kw_only=True, slots=True)
class Uptime:
    """How long it was up, down and unknown; the three add up to the time looked at."""

    up_ms: Duration = 0
    down_ms: Duration = 0
    unknown_ms: Duration = 0

    def __add__(self, other: "Uptime") -> "Uptime":
        return Uptime(
            up_ms=self.up_ms + other.up_ms,
            down_ms=self.down_ms + other.down_ms,
            unknown_ms=self.unknown_ms + other.unknown_ms,
        )

    def __sub__(self, other: "Uptime") -> "Uptime":
        return Uptime(
            up_ms=self.up_ms - other.up_ms,
            down_ms=self.down_ms - other.down_ms,
            unknown_ms=self.unknown_ms - other.unknown_ms,
        )

    @property
    def window_ms(self) -> Duration:
        """The time looked at."""
        return self.up_ms + self.down_ms + self.unknown_ms

    @property
    def availability(self) -> Fraction | None:
        """Up / known time; None while nothing is known."""
        return _share(self.up_ms, self.up_ms + self.down_ms)

    @property
    def coverage(self) -> Fraction | None:
        """Known time / time; None for an empty window."""
        return _share(self.up_ms + self.down_ms, self.window_ms)

    @property
    def lower_bound(self) -> Fraction | None:
        """Availability if it was down whenever unknown; None for an empty window."""
        return _share(self.up_ms, self.window_ms)

    @property
    def upper_bound(self) -> Fraction | None:
        """Availability if it was up whenever unknown; None for an empty window."""
        return _share(self.up_ms + self.unknown_ms, self.window_ms)

    def judge(self, target: Target) -> Judgement:
        """Met only if the lower bound meets, missed only if the upper bound misses, else inconclusive."""
        return judge(target, low=self.lower_bound, high=self.upper_bound)


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestUptime:
    """Availability by requests: what users saw, with the time that was not measured imputed at the measured rate."""

    bad_low: int  # surely in the window
    bad_high: int  # with those that may lie before it
    total_low: int  # with as few good ones as may be
    total_high: int
    covered: Duration
    window: Duration

    @property
    def coverage(self) -> Fraction:
        """Measured time / time."""
        return Fraction(min(self.covered, self.window), self.window)

    @property
    def availability(self) -> Fraction | None:
        """Good / total of what was measured, the window's edge counted in; None without requests."""
        return 1 - Fraction(min(self.bad_high, self.total_high), self.total_high) if self.total_high > 0 else None

    @property
    def lower_bound(self) -> Fraction | None:
        """Availability had every request of unmeasured time failed, and every failure at the edge been inside."""
        events = self.total_low + self.bad_high - self.bad_low  # the failures of the edge without its good requests
        if events <= 0:
            return None if self.total_high <= 0 else Fraction(0)
        return self.coverage * max(1 - Fraction(self.bad_high, events), Fraction(0))

    @property
    def upper_bound(self) -> Fraction | None:
        """Availability had no request of unmeasured time failed, and no failure at the edge been inside."""
        events = self.total_high - (self.bad_high - self.bad_low)  # the good requests of the edge without its failures
        if events <= 0:
            return None if self.total_high <= 0 else 1 - self.coverage
        return 1 - self.coverage * min(Fraction(self.bad_low, events), Fraction(1))


@dataclass(frozen=True, kw_only=True, slots=True)
class Probe:
    """One probe result."""

    at: Instant
    up: bool


def uptime(probes: Sequence[Probe], interval: Duration, start: Instant, end: Instant) -> Uptime:
    """Account for every millisecond of [start, end) by probes made every `interval` milliseconds.

    Probes may come in any order; of several at one instant the last given counts. One made before `start` speaks for
    the window's beginning as long as it holds.
    """
    if end < start:
        raise ValueError(f"a window cannot end before it starts, got {start} to {end}")
    newest = {probe.at: probe for probe in probes}
    ordered = [newest[at] for at in sorted(newest)]
    if not ordered or end <= ordered[0].at:
        return Uptime(unknown_ms=end - start)
    total = Uptime(unknown_ms=max(ordered[0].at - start, 0))
    for probe, following in pairwise(ordered):
        total += _held(probe, interval, max(probe.at, start), min(following.at, end))
    return total + _held(ordered[-1], interval, max(ordered[-1].at, start), end)


@dataclass(frozen=True, kw_only=True, slots=True)
class UptimeMeter:
    """The same account kept step by step; each step gives the meter that follows and what it adds to the sums."""

    interval: Duration
    start: Instant  # nothing before this is accounted for
    cursor: Instant  # everything from start up to here is
    held: Probe | None = None  # the newest probe

    def advance(self, now: Instant) -> tuple["UptimeMeter", Uptime]:
        """Account for the time up to `now`; nothing if that is in the past."""
        if now <= self.cursor:
            return self, Uptime()
        return replace(self, cursor=now), _held(self.held, self.interval, self.cursor, now)

    def add(self, at: Instant, up: bool) -> tuple["UptimeMeter", Uptime]:
        """Account for the time up to a probe and hold the probe from there.

        A probe that comes late, newer than the one held but older than the cursor, gives a correction: unknown time may
        become known, and the sums stay those of `uptime`. One older than the probe held says nothing any more.
        """
        if self.held is not None and at < self.held.at:
            return self, Uptime()
        reached, added = self.advance(at)
        probe = Probe(at=at, up=up)
        since, until = max(at, self.start), reached.cursor
        before = _held(self.held, self.interval, since, until)
        return replace(reached, held=probe), added + _held(probe, self.interval, since, until) - before


def _held(probe: Probe | None, interval: Duration, start: Instant, end: Instant) -> Uptime:
    """What one probe, made no later than `start`, says about [start, end)."""
    if end <= start:
        return Uptime()
    known = 0 if probe is None else max(0, min(end, probe.at + HOLD_INTERVALS * interval) - start)
    up = probe is not None and probe.up
    return Uptime(up_ms=known if up else 0, down_ms=0 if up else known, unknown_ms=end - start - known)


def _share(part: Duration, whole: Duration) -> Fraction | None:
    return Fraction(part, whole) if whole else None
