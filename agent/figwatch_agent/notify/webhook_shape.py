"""The members of the webhook document, version 1: what its JSON Schema is made from.

Within a version members are added, never renamed, removed or given another meaning; words may join a closed set.
Whoever reads it ignores members that it does not know. Instants are ISO 8601 in UTC, durations whole milliseconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from figwatch_agent.model.decision import DecisionOutcome, Reason
from figwatch_agent.model.effect import RollbackState
from figwatch_agent.model.incident import IncidentKind, RollbackVerdict
from figwatch_agent.model.names import AlertName, Severity, Tri
from figwatch_agent.model.page import PageKind
from figwatch_agent.notify.message import LinkName, Tag

VERSION: Final = 1


class Said:
    """What the schema says about a member beside its type."""

    def __init__(self, **words: object) -> None:
        self._words = words

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        """The schema with these words; pydantic calls it where it makes a schema, and is not needed before."""
        made: dict[str, Any] = handler(schema)
        return {**made, **self._words}


Instant = Annotated[str, Said(format="date-time")]
Uri = Annotated[str, Said(format="uri")]
Count = Annotated[int, Said(minimum=0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Texts under one label."""

    label: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number with its unit, under one label."""

    label: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a person may do next, and the command for it."""

    text: str
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The message for people; the words may change at any time, so nothing should be read out of them."""

    tag: Tag
    title: str
    lines: tuple[Line, ...]
    figures: tuple[Figure, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """An alert of the incident."""

    name: AlertName
    slo: str
    route: str
    tier: str
    fired_at: Instant
    resolved_at: Instant | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """The incident as it stood when the message was written."""

    id: str
    kind: IncidentKind
    migration: str
    service: str
    route: str
    impact_start: Instant
    detected_at: Instant
    paged_at: Instant | None
    acknowledged_at: Instant | None
    mitigated_at: Instant | None
    resolved_at: Instant | None
    resolved_by: Annotated[str, Said(description="empty where the data said so")]
    alerts: tuple[Alert, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """Counts of one side of the route."""

    bad: Count
    total: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """How bad it is, in numbers."""

    bad: Count
    total: Count
    over_ms: Annotated[int, Said(minimum=0, description="time in which bad and total were counted")]
    objective: Annotated[str, Said(examples=["99.9%"])]
    burn_rate: Annotated[str | None, Said(examples=["480.0"])]
    budget_left: Annotated[str | None, Said(examples=["91.4%"])]
    exhausted_in_ms: Annotated[int | None, Said(description="until the error budget is spent, at this burn rate")]
    legacy_share: Annotated[str | None, Said(examples=["20%"])]
    service: Side
    legacy: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One of the guard's conditions for a rollback."""

    name: Annotated[str, Said(examples=["worse_than_control"])]
    holds: Tri
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the guard said about a rollback."""

    at: Instant
    outcome: DecisionOutcome
    reason: Reason
    plan: str | None
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback:
    """The execution of a plan."""

    id: str
    plan: str
    state: RollbackState
    verdict: RollbackVerdict
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One message of figwatch."""

    version: Literal[1]
    id: Annotated[str, Said(maxLength=255, minLength=1, description="the same on every repetition")]
    kind: PageKind
    group: Annotated[str, Said(maxLength=255, minLength=1, description="the same on all messages of one matter")]
    severity: Severity
    at: Instant
    message: Words
    links: Annotated[Mapping[LinkName, Uri], Said(description="those that are known")]
    incident: Incident
    facts: Facts | None
    decision: Decision | None
    rollback: Rollback | None
