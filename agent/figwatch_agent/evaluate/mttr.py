"""Mean time to mitigation and to every stage before and after, with open incidents counted and never dropped."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from figwatch_agent.durations import Duration, Instant


@dataclass(frozen=True, kw_only=True, slots=True)
class Mttr:
    """Times from impact_start to mitigated, in milliseconds."""

    count: int  # mitigated incidents
    open_count: int  # incidents without an end so far
    mean: Fraction | None  # of the mitigated ones, like median and p90; None while there are none
    median: Fraction | None
    p90: Duration | None  # the nearest rank: the ceil(0.9 n)-th shortest
    worst: Duration  # the longest of all, open ones at their age
    mean_low: Fraction  # the mean of all with open ones at their age: the final mean cannot be lower

    @property
    def mean_high(self) -> Fraction | None:
        """The mean if nothing is open; None while an open incident may still last for any time."""
        return None if self.open_count else self.mean


def mttr(incidents: Sequence[tuple[Instant, Instant | None]], now: Instant) -> Mttr | None:
    """The figures over (impact_start, mitigated or None) of each incident; None without incidents."""
    if not incidents:
        return None
    closed = sorted(_lasted(start, end) for start, end in incidents if end is not None)
    ages = [max(now - start, 0) for start, end in incidents if end is None]
    everything = closed + ages
    return Mttr(
        count=len(closed),
        open_count=len(ages),
        mean=Fraction(sum(closed), len(closed)) if closed else None,
        median=Fraction(closed[(len(closed) - 1) // 2] + closed[len(closed) // 2], 2) if closed else None,
        p90=closed[-(-9 * len(closed) // 10) - 1] if closed else None,
        worst=max(everything),
        mean_low=Fraction(sum(everything), len(everything)),
    )


def _lasted(start: Instant, end: Instant) -> Duration:
    if end < start:
        raise ValueError(f"an incident cannot be mitigated at {end}, before its impact started at {start}")
    return end - start


STAGES = ("impact_start", "detected", "paged", "acknowledged", "mitigated", "resolved")
"""Of an incident, in order. Each is timed from impact_start."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stages:
    """When each stage of one incident was reached; None for one that was not."""

    impact_start: Instant
    detected: Instant | None = None
    paged: Instant | None = None
    acknowledged: Instant | None = None
    mitigated: Instant | None = None
    resolved: Instant | None = None

    def reached(self, stage: str) -> Instant | None:
        """The instant of a stage; one that was reached before the impact is known to begin counts as at once."""
        at: Instant | None = getattr(self, stage)
        return None if at is None else max(at, self.impact_start)


@dataclass(frozen=True, kw_only=True, slots=True)
class StageFigures:
    """Times from impact_start to one stage."""

    stage: str
    figures: Mttr  # of incidents that reached it, and of those that may still
    skipped: int  # ended without it: they are in no figure


def stages(incidents: Sequence[Stages], now: Instant) -> tuple[StageFigures, ...]:
    """Every stage after impact_start; one that no incident reached or may still reach is left out.

    An incident that ended without a stage, such as one that nobody acknowledged, never will reach it: it is counted as
    skipped, and does not wait for ever.
    """
    found = []
    for stage in STAGES[1:]:
        waited = [(each.impact_start, each.reached(stage)) for each in incidents if _counts(each, stage)]
        figures = mttr(waited, now)
        if figures is not None:
            found.append(StageFigures(stage=stage, figures=figures, skipped=len(incidents) - len(waited)))
    return tuple(found)


def _counts(incident: Stages, stage: str) -> bool:
    return incident.reached(stage) is not None or incident.resolved is None
