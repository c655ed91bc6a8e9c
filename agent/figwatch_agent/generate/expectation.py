"""What the rules must say of counts, worked out from the model and not from the rules."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from figwatch_agent.durations import MINUTE, Duration
from figwatch_agent.evaluate.evidence import MINIMUM_BAD
from figwatch_agent.generate.promtool import named
from figwatch_agent.generate.tier_alerts import evidence_constant, name_of, severity_of, surprise
from figwatch_agent.generate.traffic import Counts, Stream
from figwatch_agent.model.tier import Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Sums over the last minutes of a stream."""

    events: float
    bad: float
    measured: int  # minutes
    minutes: int

    @property
    def whole(self) -> float:
        """Events if all minutes had been measured."""
        return self.events * self.minutes / self.measured

    @property
    def ratio(self) -> float:
        """Bad events / events; only with traffic."""
        return self.bad / self.events


Look = Callable[[Duration], Window]
"""What is seen of a stream in the window of this length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Burning:
    """A tier that fires on a stream."""

    stream: Stream
    tier: Tier
    ratio: float  # of the long window

    @property
    def alert(self) -> str:
        """Name of its alert."""
        return name_of(self.stream.slo, self.tier).value

    @property
    def labels(self) -> dict[str, str]:
        """Labels of its alert."""
        severity = severity_of(self.stream.slo, self.tier).value
        return self.stream.labels | {"severity": severity, "tier": self.tier.name}

    @property
    def told_apart(self) -> str:
        """Labels by which TIERS counts it."""
        kept = {key: self.labels[key] for key in ("slo", "route", "tier", "severity")}
        return named("", {"alertname": self.alert, **kept})


def window(counts: Counts, minute: int, length: Duration) -> Window:
    """The sums of the window that ends with this minute."""
    wanted = length // MINUTE
    known = [count for count in counts[max(minute + 1 - wanted, 0) : minute + 1] if count is not None]
    return Window(
        events=sum(count.events for count in known),
        bad=sum(count.bad for count in known),
        measured=len(known),
        minutes=wanted,
    )


def fires(stream: Stream, tier: Tier, long: Window, short: Window, alpha: Fraction) -> bool:
    """Whether the alert of a tier fires on these counts of its two windows."""
    budget = 1 - stream.slo.objective
    threshold = float(tier.factor(stream.file.window) * budget)
    if not (long.measured and short.measured and long.events):
        return False
    expected = float(budget) * long.whole
    return (
        long.bad > threshold * long.whole
        and short.bad > threshold * short.whole
        and long.bad >= MINIMUM_BAD
        and long.bad > expected
        and surprise(long.bad, expected) >= evidence_constant(alpha)
    )


def burning(windows: Mapping[Stream, Look], alpha: Fraction) -> list[Burning]:
    """Every tier that fires, by what is seen of each stream in a window of a given length."""
    return [
        Burning(stream=stream, tier=tier, ratio=look(tier.long).ratio)
        for stream, look in windows.items()
        for tier in stream.slo.tiers
        if fires(stream, tier, look(tier.long), look(tier.short), alpha)
    ]
