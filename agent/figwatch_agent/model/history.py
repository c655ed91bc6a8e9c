"""What was counted in the past, slot by slot: integers with the time that was measured, and None where nothing was.

A slot holds the events of ticks in (start, start + step]. ``None`` means that nothing was measured in it: the agent was
off, or its source failed. It never means zero.
"""

from dataclasses import dataclass
from fractions import Fraction

from figwatch_agent.durations import DAY, HOUR, MINUTE, SECOND, Duration, Instant

SPANS: dict[str, tuple[Duration, Duration]] = {
    "15m": (15 * MINUTE, 20 * SECOND),
    "1h": (HOUR, MINUTE),
    "6h": (6 * HOUR, 10 * MINUTE),
    "3d": (3 * DAY, HOUR),
    "30d": (30 * DAY, 6 * HOUR),
}
"""What may be asked for: how far back, and how long one slot is."""

Count = int | None
"""Events of one slot; None where nothing was measured."""

Bounds = tuple[Fraction, Fraction | None]
"""A quantile in seconds: at least, at most; no upper end beyond the last bucket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """Equal slots of time, the last one cut by now."""

    start: Instant
    step: Duration
    slots: int
    until: Instant  # the last tick; the last slot holds it

    @property
    def end(self) -> Instant:
        """Where the last slot will end."""
        return self.start + self.slots * self.step

    def since(self, at: Instant) -> "Axis":
        """Without the slots that were over before an instant; the last slot always stays."""
        gone = min(max((at - self.start) // self.step, 0), max(self.slots - 1, 0))
        return Axis(start=self.begins(gone), step=self.step, slots=self.slots - gone, until=self.until)

    def begins(self, slot: int) -> Instant:
        """Where a slot begins."""
        return self.start + slot * self.step

    def lasted(self, slot: int) -> Duration:
        """Time of a slot that has passed."""
        return max(min(self.until, self.begins(slot + 1)) - self.begins(slot), 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SideHistory:
    """One side of a route. ``requests`` are seen at the edge; ``failed`` of ``judged`` by the availability SLO."""

    side: str  # service | legacy
    requests: tuple[Count, ...]
    judged: tuple[Count, ...]
    failed: tuple[Count, ...]
    p95: tuple[Bounds | None, ...]  # None as well where no request was answered


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetHistory:
    """How one SLO's budget was spent over its own window, which ends now."""

    slo: str
    kind: str
    objective: Fraction
    window: Duration
    axis: Axis
    bad: tuple[Count, ...]
    total: tuple[Count, ...]
    window_bad: int  # of the whole window, as the budget that is left is judged
    window_total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteHistory:
    """One route: both sides on one axis, and the budgets of its SLOs each on their own."""

    axis: Axis
    route: str
    service: str
    covered: tuple[Duration, ...]  # measured time of each slot
    sides: tuple[SideHistory, ...]  # service, then legacy
    budgets: tuple[BudgetHistory, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteShare:
    """Requests of users at the edge, and how many of them legacy served; shadow copies are in neither."""

    route: str
    service: str
    legacy: tuple[Count, ...]
    total: tuple[Count, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Who served every route over time."""

    axis: Axis
    routes: tuple[RouteShare, ...]  # in the order of the view
    overall: RouteShare  # all routes, those that no file declares included
