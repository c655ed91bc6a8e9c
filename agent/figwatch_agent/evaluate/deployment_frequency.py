"""How often a service is deployed, against how often it was before.

One rule counts both: a deployment that succeeded, once for its id, of its service.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from figwatch_agent.durations import DAY, Duration, Instant
from figwatch_agent.evaluate.evidence import rate_ratio_interval

rate_ratio = lru_cache(maxsize=256)(rate_ratio_interval)
"""Counts change a few times a day, and every page asks for their interval."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployment:
    """A deployment that ended."""

    id: str
    service: str
    at: Instant
    succeeded: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Frequency:
    """Deployments counted over a length of time."""

    count: int
    over: Duration

    def __post_init__(self) -> None:
        if self.count < 0 or self.over <= 0:
            raise ValueError(f"a frequency needs a count of at least 0 and a time, got {self.count} in {self.over} ms")

    @property
    def per_day(self) -> Fraction:
        """Exactly."""
        return Fraction(self.count * DAY, self.over)

    def times(self, before: "Frequency") -> Fraction | None:
        """How many times as often as before; None where there were none before."""
        return self.per_day / before.per_day if before.count else None

    def interval(self, before: "Frequency") -> tuple[float, float | None]:
        """The exact 95 % interval of `times`; without an upper end where there were none before."""
        return rate_ratio(before.count, before.over, self.count, self.over)


def counted(deployments: Iterable[Deployment], start: Instant, end: Instant, service: str = "") -> int:
    """Deployments in (start, end] of a service, or of all: one for each service and id, when it succeeded first."""
    first: dict[tuple[str, str], Instant] = {}
    for each in deployments:
        if each.succeeded and service in ("", each.service):
            key = (each.service, each.id)
            first[key] = min(each.at, first.get(key, each.at))
    return sum(start < at <= end for at in first.values())
