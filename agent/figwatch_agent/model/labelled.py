"""Incidents as people remember them: what pages and rollbacks of the past are judged by."""

from dataclasses import dataclass

from figwatch_agent.durations import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """One line of an incident list."""

    start: Instant
    end: Instant
    route: str  # template, or the name of an SLO that is about no route; "" for any
    rollback_right: bool | None  # whether sending the route back would have been right; None: nobody said


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """One value of one threshold that is tried."""

    key: str  # such as "objective" or "1h.share"
    value: str  # as written
