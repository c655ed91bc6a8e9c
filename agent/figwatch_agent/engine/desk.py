"""What the engine remembers besides counts: open cases, what is latched and silenced, and what was read last."""

from bisect import insort
from dataclasses import dataclass, field

from figwatch_agent.decide.latch import Latches
from figwatch_agent.durations import Instant
from figwatch_agent.engine.book import Book
from figwatch_agent.engine.cases import Case
from figwatch_agent.model.baseline import RecordedBaseline
from figwatch_agent.model.batch import Reading
from figwatch_agent.model.command import Command
from figwatch_agent.model.event import Event
from figwatch_agent.model.incident import Incident, IncidentKind
from figwatch_agent.model.intent import RollbackIntent
from figwatch_agent.model.outcome import Transition, TransitionKind
from figwatch_agent.model.page import OutboxRow

CLOSED_KEPT = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Somebody asked for quiet."""

    subject: str  # route or incident id
    until: Instant
    actor: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """Recorded counts of legacy on a route, from before it was emptied."""

    bad: int
    total: int


@dataclass(slots=True)
class Notes:
    """What one tick leaves behind; becomes part of the Outcome."""

    transitions: list[Transition] = field(default_factory=list)
    outbox: list[OutboxRow] = field(default_factory=list)
    intents: list[RollbackIntent] = field(default_factory=list)
    incidents: dict[str, Incident] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    baselines: list[RecordedBaseline] = field(default_factory=list)

    def note(
        self,
        at: Instant,
        kind: TransitionKind,
        subject: str,
        text: str,
        data: tuple[tuple[str, str], ...] = (),
        actor: str = "",
    ) -> None:
        """Remember that something happened."""
        self.transitions.append(Transition(at=at, kind=kind, subject=subject, text=text, data=data, actor=actor))


def refuse(command: Command, refusal: str, now: Instant, notes: Notes) -> None:
    """Say that a command was refused, unless the reason is ""."""
    if refusal:
        text = f"{command.kind.value} {command.subject} of {command.actor} refused: {refusal}"
        notes.note(now, TransitionKind.COMMAND_REFUSED, command.subject, text, actor=command.actor)


def closing(incident: Incident) -> tuple[Instant, str]:
    """The order in which incidents were closed; those of one tick by their ids, so that it outlives a restart."""
    return incident.resolved_at or 0, incident.id


@dataclass(slots=True)
class Desk:
    """All open work."""

    cases: dict[str, Case] = field(default_factory=dict)  # by incident id, oldest first
    closed: list[Incident] = field(default_factory=list)  # oldest first
    latches: Latches = field(default_factory=Latches)
    silences: list[Silence] = field(default_factory=list)
    baselines: dict[str, Baseline] = field(default_factory=dict)  # by route
    readings: dict[str, Reading] = field(default_factory=dict)  # newest by name
    signals: dict[str, Instant] = field(default_factory=dict)  # active ones and since when
    failing_receivers: dict[str, str] = field(default_factory=dict)  # receiver -> reason of its last dead row
    findings: dict[str, str] = field(default_factory=dict)
    wall_step: int = 0  # as recorded last
    book: Book = field(default_factory=Book)

    def open_case(self, kind: IncidentKind, subject: str) -> Case | None:
        """The open case about this subject; one that ended in this very tick takes nothing in any more."""
        return next(
            (case for case in self.cases.values() if case.subject == (kind, subject) and case.incident.open), None
        )

    def silenced(self, case: Case, now: Instant) -> bool:
        """Whether somebody asked for quiet about it."""
        names = (case.incident.id, case.incident.route)
        return any(silence.subject in names and silence.until > now for silence in self.silences)

    def close(self, case: Case) -> None:
        """Move a resolved case away."""
        del self.cases[case.incident.id]
        insort(self.closed, case.incident, key=closing)
        del self.closed[:-CLOSED_KEPT]
