"""What a person is told: facts first, words later (rooms that speak to a receiver write the words)."""

from dataclasses import dataclass
from enum import StrEnum

from figwatch_agent.durations import Duration, Instant
from figwatch_agent.model.incident import Incident
from figwatch_agent.model.names import Severity


class PageKind(StrEnum):
    """What a page does to the incident at the receiver."""

    TRIGGER = "trigger"  # opens it
    UPDATE = "update"  # adds to it
    RESOLVE = "resolve"  # closes it
    INFORMATION = "information"  # neither: a test, or something that is over


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """How bad it is, in numbers, when the page was made."""

    bad: int
    total: int
    over: Duration  # time in which bad and total were counted
    objective: str  # such as "99.9%"
    burn_rate: str | None  # such as "498"; None when it cannot be said
    budget_left: str | None  # such as "91.4%"
    exhausted_in: Duration | None  # at this rate
    legacy_share: str | None  # of the route's requests, such as "20%"
    service_bad: int
    service_total: int
    legacy_bad: int
    legacy_total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One thing said about one incident. The outbox holds one row of it per receiver."""

    kind: PageKind
    headline: str  # one line: what happened, to whom, how bad, what figwatch does
    incident: Incident  # as it stood
    group: str  # deduplication key at the receivers: id of the incident that speaks
    severity: Severity
    at: Instant
    facts: Facts | None
    action: str  # what figwatch does or withholds, and why; one or two sentences
    runbook_url: str
    status_url: str | None  # of the incident
    overview_url: str | None = None  # of the status page


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRow:
    """A page for one receiver."""

    id: str  # idempotency key: incident, number of the page, receiver; never from the clock
    receiver: str
    incident: str  # first in, first out per incident and receiver
    page: Page
