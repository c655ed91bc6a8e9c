"""Counts placed closely around the thresholds of every tier: one event less and it is silent, one more and it fires."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, partial
from typing import Final

from figwatch_agent.durations import MINUTE, Duration
from figwatch_agent.evaluate.evidence import MINIMUM_BAD
from figwatch_agent.generate.expectation import Burning, Look, Window, burning
from figwatch_agent.generate.pins import end_of
from figwatch_agent.generate.placed import Placed, Run, at, last, recorded
from figwatch_agent.generate.promtool import Check, Scenario
from figwatch_agent.generate.rule import Group
from figwatch_agent.generate.rules import Service
from figwatch_agent.generate.scenarios import TIERS, words
from figwatch_agent.generate.tier_alerts import evidence_constant, surprise
from figwatch_agent.generate.traffic import Stream, streams_of
from figwatch_agent.model.names import Severity
from figwatch_agent.model.tier import Tier

RATE: Final = 10**9
"""Events a minute: so many that the evidence for a ratio a ten-thousandth beside the budget is enough."""
CLOSE: Final = 0.0003
"""How near to the evidence that is needed the counts stand, on both sides."""
BURNING: Final = "just burning"
_ROOT_STEPS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """A tier of one stream, and the level of its evidence."""

    stream: Stream
    tier: Tier
    alpha: Fraction

    @property
    def budget(self) -> Fraction:
        """Error ratio that is allowed."""
        return 1 - self.stream.slo.objective

    @property
    def threshold(self) -> Fraction:
        """Error ratio beyond which the tier fires."""
        return self.tier.factor(self.stream.file.window) * self.budget


STORIES: Final[tuple[tuple[str, Callable[[Pinned], Placed], bool], ...]] = (
    (BURNING, lambda each: _edge(each, 1, 1), True),
    ("the long window not quite", lambda each: _edge(each, -1, 1), False),
    ("the short window not quite", lambda each: _edge(each, 1, -1), False),
    ("just evidence enough", lambda each: _proof(each, 1 - CLOSE), True),
    ("not quite evidence enough", lambda each: _proof(each, 1 + CLOSE), False),
    ("as few as count", lambda each: _few(each, MINIMUM_BAD), True),
    ("fewer than count", lambda each: _few(each, MINIMUM_BAD - 0.01), False),
)
"""What is placed, and whether the tier then fires."""


def tier_pins(service: Service, alpha: Fraction, groups: Sequence[Group]) -> Scenario:
    """Every story of every tier at once, each on a route of its own: the rules do not ask what a route is called."""
    end = end_of(service)
    placed: dict[Stream, Placed] = {}
    fired: list[Burning] = []
    for file, slo in service.slos:
        for tier in slo.tiers:
            for what, place, fires in STORIES:
                stream = Stream(file=file, slo=slo, route=f"{tier.name}: {what}")
                placed[stream] = place(Pinned(stream=stream, tier=tier, alpha=alpha))
                fired += [Burning(stream=stream, tier=tier, ratio=0)] if fires else []
    checks = []
    for name in sorted({tier.name for _, slo in service.slos for tier in slo.tiers}):
        expr = TIERS.replace('tier!="signal"', f'tier="{name}",route=~"{name}: .*"')
        samples = tuple((each.told_apart, 1.0) for each in fired if each.tier.name == name)
        checks.append(Check(at=end, expr=expr, samples=samples))
    looks: dict[Stream, Look] = {stream: partial(_look, runs) for stream, runs in placed.items()}
    told = words(groups, burning(looks, alpha), end)  # each says the ratio of its long window
    return Scenario(name="factors and evidence", inputs=recorded(placed, end), checks=tuple(checks), firing=told)


def slow_burn(service: Service) -> Scenario:
    """A ratio between the tickets' factors and the pages', for as long as the longest window: tickets alone."""
    end, minutes = end_of(service), max(service.windows) // MINUTE
    placed: dict[Stream, Placed] = {}
    fired: list[Burning] = []
    for stream in streams_of(service.slos):
        burn = _between(stream)
        if burn is None:
            continue
        bad = float(burn * (1 - stream.slo.objective)) * RATE
        placed[stream] = (Run(minutes=minutes - 1, events=RATE, bad=bad), Run(minutes=1))
        fired += [
            Burning(stream=stream, tier=tier, ratio=0)
            for tier in stream.slo.tiers
            if tier.factor(stream.file.window) < burn
        ]
    check = Check(at=end, expr=TIERS, samples=tuple((each.told_apart, 1.0) for each in fired))
    return Scenario(name="slow burn", inputs=recorded(placed, end), checks=(check,))


def _between(stream: Stream) -> Fraction | None:
    """A burn rate above every ticket tier's and below every page tier's; None where there is none."""
    factors = {
        severity: [tier.factor(stream.file.window) for tier in stream.slo.tiers if tier.severity is severity]
        for severity in Severity
    }
    tickets, pages = factors[Severity.TICKET], factors[Severity.PAGE]
    if not tickets or not pages or max(tickets) >= min(pages):
        return None
    return (max(tickets) + min(pages)) / 2


def _edge(pinned: Pinned, long_more: int, short_more: int) -> Placed:
    """Both windows beside their thresholds, by what lies in the oldest minute of each: 1 just above, -1 just below."""
    long, short = pinned.tier.long // MINUTE, pinned.tier.short // MINUTE
    recent = _beside(pinned.threshold * RATE * (short - 1), short_more)
    wanted = _evident(pinned, _beside(pinned.threshold * RATE * (long - 1), long_more), long_more)
    # As many again in the minute before each window: one that began earlier would count them.
    marks = {long: (RATE, recent), short: (RATE, recent), long - 1: (RATE, wanted - 2 * recent)}
    return at(marks | {short - 1: (RATE, recent)}, long + 1, RATE)


def _beside(threshold: Fraction, more: int) -> int:
    """The whole number next to it, above or below, never the threshold itself."""
    return math.floor(threshold) + 1 if more > 0 else math.ceil(threshold) - 1


def _evident(pinned: Pinned, bad: int, more: int) -> int:
    """The count itself, or where the threshold is the budget, the next one that chance does not explain."""
    expected = float(pinned.budget * RATE * (pinned.tier.long // MINUTE - 1))
    needed = evidence_constant(pinned.alpha) * 1.01
    if surprise(bad, expected) >= needed:
        return bad
    near, far = bad, bad + more * 10 * math.isqrt(int(expected * needed))
    while abs(far - near) > 1:
        middle = (near + far) // 2
        near, far = (near, middle) if surprise(middle, expected) >= needed else (middle, far)
    return far


def _proof(pinned: Pinned, times: float) -> Placed:
    """The largest count whose evidence decides and not the factor, among ``times`` as many events as it bears."""
    needed = evidence_constant(pinned.alpha)
    factor = float(pinned.tier.factor(pinned.stream.file.window))
    bad = MINIMUM_BAD
    while (bad + 1) / _expected(bad + 1, needed) > max(factor * 1.05, 1.5):
        bad += 1
    return _few_of(pinned, bad, times * _expected(bad, needed) / float(pinned.budget))


@cache
def _expected(bad: float, needed: float) -> float:
    """The expectation at which so many bad events are just evidence enough."""
    low, high = 0.0, float(bad)
    for _ in range(_ROOT_STEPS):
        middle = (low + high) / 2
        if middle > 0 and surprise(bad, middle) >= needed:
            low = middle
        else:
            high = middle
    return low


def _few(pinned: Pinned, bad: float) -> Placed:
    """Few bad events, however surprising: ten million times as many as the budget allows."""
    return _few_of(pinned, bad, bad / 10**7 / float(pinned.budget))


def _few_of(pinned: Pinned, bad: float, events: float) -> Placed:
    """Counts of the long window: half of it in the last minute but one, the rest in the oldest, and others before."""
    long = pinned.tier.long // MINUTE
    share = 0.5
    marks = {1: (events * share, bad * share), long - 1: (events * (1 - share), bad * (1 - share))}
    marks[long] = (events * 10, bad / 2)
    return at(marks, long + 1)


def _look(runs: Placed, length: Duration) -> Window:
    return last(runs, length // MINUTE)
