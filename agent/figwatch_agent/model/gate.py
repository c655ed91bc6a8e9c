"""The answer to whether a route may move on: every condition with its evidence."""

from dataclasses import dataclass

from figwatch_agent.durations import Instant
from figwatch_agent.model.names import Stage, Tri

ORDER: tuple[Stage, ...] = (Stage.LEGACY, Stage.SHADOW, Stage.CANARY, Stage.MIGRATED, Stage.RETIRED)
"""The way that every route goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateCondition:
    """One thing that must be so."""

    name: str
    holds: Tri
    evidence: str  # for people, with numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class GateAnswer:
    """All of them. Unknown never passes."""

    route: str
    stage: Stage  # where it stands
    to: Stage  # where it would go
    at: Instant  # of the tick that was judged
    conditions: tuple[GateCondition, ...]

    @property
    def passes(self) -> Tri:
        """Yes only where every condition holds; no where any does not; else unknown."""
        found = {condition.holds for condition in self.conditions}
        return Tri.NO if Tri.NO in found else Tri.UNKNOWN if Tri.UNKNOWN in found else Tri.YES


def following(stage: Stage) -> Stage:
    """The next stage of a route; the last one stays."""
    return ORDER[min(ORDER.index(stage) + 1, len(ORDER) - 1)]
