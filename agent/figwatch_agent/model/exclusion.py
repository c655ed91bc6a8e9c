"""Exclusions: maintenance that somebody answers for, during which nothing is counted for or against a promise."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from figwatch_agent.durations import Instant, format_instant, parse_instant
from figwatch_agent.model.command import Command


class Scope(StrEnum):
    """What an exclusion is about."""

    ROUTE = "route"  # every SLO on one route, and its latency figures
    SLO = "slo"  # one SLO on all its routes
    SERVICE = "service"  # every SLO of one file, uptime included


class ExclusionState(StrEnum):
    """Where an exclusion stands."""

    PLANNED = "planned"  # it has not begun
    RUNNING = "running"  # what is counted now is set aside
    OVER = "over"
    WITHDRAWN = "withdrawn"  # it was ended before it began


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """One, as it was declared and as it is counted.

    Counted times are boundaries of the rings at or outside the declared ones: events in (counted_from, counted_to].
    """

    id: str
    scope: Scope
    name: str  # route, SLO or service
    begins: Instant  # as declared
    ends: Instant | None  # as declared, or as it was ended; None while it is left open
    counted_from: Instant
    counted_to: Instant | None
    who: str  # who answers for it
    why: str
    declared_at: Instant
    declared_by: str  # name of the token, or user@host
    ended_by: str = ""

    def state(self, at: Instant) -> ExclusionState:
        """Where it stands at an instant."""
        if self.counted_to is not None and self.counted_to <= self.counted_from:
            return ExclusionState.WITHDRAWN if self.ended_by else ExclusionState.OVER
        if at <= self.counted_from:
            return ExclusionState.PLANNED
        return ExclusionState.RUNNING if self.covers(at) else ExclusionState.OVER

    def covers(self, at: Instant) -> bool:
        """Whether what is counted at this instant is set aside."""
        return self.counted_from < at and (self.counted_to is None or at <= self.counted_to)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What a command asks for."""

    scope: Scope
    name: str
    begins: Instant
    ends: Instant | None
    who: str


def declaration(command: Command) -> Declaration:
    """What a command declares: its ``data`` hold ``scope``, ``from``, ``to`` (absent: left open) and ``who``.

    Without ``from`` it begins when the command was accepted, without ``who`` the actor answers for it. Raises
    ValueError with the reason for people.
    """
    said = dict(command.data)
    problems = problems_of(said, command.at)
    if problems:
        raise ValueError("; ".join(problems))
    return Declaration(
        scope=Scope(said["scope"]),
        name=command.subject,
        begins=parse_instant(said["from"]) if said.get("from") else command.at,
        ends=parse_instant(said["to"]) if said.get("to") else None,
        who=said.get("who") or command.actor,
    )


def problems_of(said: Mapping[str, str], at: Instant) -> list[str]:
    """Everything that is wrong with the data of a declaration that is accepted at an instant."""
    problems: list[str] = []
    if said.get("scope") not in tuple(Scope):
        problems.append(f"data.scope is one of {', '.join(Scope)}")
    times: dict[str, Instant] = {"from": at}
    for name in ("from", "to"):
        if said.get(name):
            try:
                times[name] = parse_instant(said[name])
            except (ValueError, OverflowError) as error:
                problems.append(f"data.{name}: {error}")
                return problems
            if not 0 < times[name] < LATEST:
                problems.append(f"data.{name} is not between 1970 and 9000")
    if "to" in times and times["to"] <= times["from"]:
        problems.append("data.to lies after data.from, or is left out while nobody knows the end")
    return problems


LATEST: Instant = 221_845_392_000_000
"""The year 9000: no arithmetic on instants overflows before it."""


def exclusion_id(command: str) -> str:
    """Derived from the command's id: short enough to be read out on the phone."""
    digest = hashlib.sha256(f"exclusion\n{command}".encode()).digest()
    return "exc-" + base64.b32encode(digest)[:8].decode("ascii").lower()


def in_words(exclusion: Exclusion) -> str:
    """One clause for people: what is excluded, and from when to when."""
    until = "left open" if exclusion.ends is None else f"to {format_instant(exclusion.ends)}"
    return f"{exclusion.scope.value} {exclusion.name} from {format_instant(exclusion.begins)} {until}"
