"""What rooms expect of each other: the seams at which the real thing and its in-memory twin can be exchanged."""

from collections.abc import Sequence
from typing import Protocol

from figwatch_agent.durations import Duration, Instant
from figwatch_agent.model.agent import Queue
from figwatch_agent.model.audit import AuditFault, AuditHead, AuditLine, AuditNote
from figwatch_agent.model.baseline import RecordedBaseline
from figwatch_agent.model.batch import Batch, Counted, ProbeResult, Reading
from figwatch_agent.model.command import Command
from figwatch_agent.model.effect import DeliveryEffect, DeliveryState, Effect, RollbackEffect, RollbackState
from figwatch_agent.model.event import Event, EventKind
from figwatch_agent.model.journal import ActionResult, Delivery, DeliveryResult, RollbackRecord, StepEntry, Topic
from figwatch_agent.model.missing import Past
from figwatch_agent.model.outcome import LedgerEntry, Outcome, Saved, Transition
from figwatch_agent.model.plan import Call
from figwatch_agent.model.view import View


class Source(Protocol):
    """Where counts come from."""

    async def collect(self, now: Instant) -> tuple[Batch | Counted | Past, ...]:
        """Every scrape target's answers since the call before, up or down, oldest first, what was counted already, and
        answers that were missing.

        Never raises for what a target does. Returns within the interval.
        """

    async def close(self) -> None:
        """Let go of connections."""


class Prober(Protocol):
    """Asks probes and readings on their own schedule; what was answered waits to be drained."""

    async def run(self) -> None:
        """Ask until cancelled."""

    def drain(self) -> tuple[tuple[ProbeResult, ...], tuple[Reading, ...]]:
        """Everything answered since the last call, oldest first."""


class Inbox(Protocol):
    """The durable inbox."""

    async def put(self, command: Command) -> None:
        """Keep a command and its line of the audit; durable when this returns. A known id is ignored."""

    async def put_all(self, commands: Sequence[Command]) -> tuple[str, ...]:
        """Keep all of them or none; durable when this returns. The ids that were not known, each of them once."""

    async def waiting(self) -> tuple[tuple[Command, ...], tuple[Effect, ...]]:
        """Commands and effects that no committed Outcome has consumed, oldest first."""


class Audit(Protocol):
    """Who did what: lines in a chain in which each names the hash of the one before."""

    async def note(self, note: AuditNote) -> None:
        """One more line; durable when this returns."""

    async def audit_lines(self, limit: int = 200) -> tuple[AuditLine, ...]:
        """The newest first."""

    async def audit_head(self) -> AuditHead:
        """The newest line, as the state itself says."""

    async def audit_fault(self) -> AuditFault | None:
        """The first line at which the chain does not hold; None where it holds."""


class Outbox(Protocol):
    """Deliveries, first in, first out per incident and receiver."""

    async def next_delivery(self, receiver: str, now: Instant) -> Delivery | None:
        """The oldest row of this receiver that may be tried now.

        Rows behind an unfinished one of the same incident wait. A row found in state ``sending`` was interrupted: it
        comes back with ``ambiguous`` set.
        """

    async def next_due(self, receiver: str) -> Instant | None:
        """When the next row of this receiver may be tried, or None where there is none."""

    async def begin_delivery(self, row: str, attempt: int, now: Instant) -> None:
        """Committed before the attempt is made."""

    async def postpone_delivery(self, row: str, next_at: Instant, reason: str, ambiguous: bool) -> None:
        """The attempt failed and another will follow."""

    async def finish_delivery(
        self, row: str, state: DeliveryState, effect: DeliveryEffect, fallback: str | None, message_id: str = ""
    ) -> None:
        """In one transaction: the row ends, the effect goes to the inbox, and what the receiver calls it is kept.

        ``message_id`` (state accepted) comes back with every later row of the same incident, receiver and group.

        Where ``fallback`` is given (state dead), the row and all later rows of the same incident for this receiver,
        present and future, go to that receiver.
        """

    async def deliveries(self, incident: str | None = None, limit: int = 200) -> tuple[Delivery, ...]:
        """Rows with their state, newest first."""

    async def topics(self, receiver: str) -> tuple[Topic, ...]:
        """Every group of pages for which this receiver has given a message id, by incident and group."""

    async def oldest_pending(self) -> Instant | None:
        """When the oldest unfinished row was made."""

    async def queues(self) -> tuple[Queue, ...]:
        """How many rows each receiver has in each state, by receiver and state; only those that have any."""


class Journal(Protocol):
    """Rollbacks and their steps."""

    async def unfinished_rollbacks(self) -> tuple[RollbackRecord, ...]:
        """Intents that are not final, with their journal, oldest first."""

    async def append_step(self, entry: StepEntry) -> None:
        """Durable when this returns."""

    async def set_rollback(self, rollback: str, state: RollbackState, effect: RollbackEffect) -> None:
        """In one transaction: the new state, and the effect into the inbox. A known effect id is ignored."""

    async def rollbacks(self, limit: int = 200) -> tuple[RollbackRecord, ...]:
        """All rollbacks, newest first."""


class Told(Protocol):
    """What people and other systems told of, and what criteria are compared with."""

    async def events(self, kind: EventKind | None = None, limit: int = 500) -> tuple[Event, ...]:
        """Those that happened last, newest first; of one kind where one is given."""

    async def baselines(self) -> tuple[RecordedBaseline, ...]:
        """Recorded baselines by criterion."""


class Store(Inbox, Outbox, Journal, Audit, Told, Protocol):
    """Everything durable. All times are UTC milliseconds."""

    async def open(self) -> None:
        """Take the exclusive lock and bring the schema up. Raises StoreLocked, StoreTooNew, StoreUnavailable."""

    async def close(self) -> None:
        """Let go of the lock."""

    async def load(self) -> Saved:
        """The state as of the last committed Outcome."""

    async def commit(self, outcome: Outcome) -> None:
        """One transaction for the whole Outcome; nothing on StoreUnavailable. The same sequence again is no change."""

    async def transitions(self, limit: int = 500) -> tuple[Transition, ...]:
        """What happened, newest first."""

    async def ledger(self, slo: str | None = None) -> tuple[LedgerEntry, ...]:
        """The budget ledger, oldest first."""

    async def prune(self, before: Instant) -> None:
        """Forget what ended before an instant. Ledger, rollbacks and everything unfinished stay."""


class Notifier(Protocol):
    """Speaks to one receiver."""

    async def deliver(self, delivery: Delivery) -> DeliveryResult:
        """One attempt with the row's id as idempotency key; never raises for what the receiver does."""

    async def close(self) -> None:
        """Let go of connections."""


class Action(Protocol):
    """Carries out one call of a step."""

    async def run(self, call: Call, *, key: str, deadline: Duration) -> ActionResult:
        """``key`` is the step's idempotency key; never raises for what the other side does."""


class Publisher(Protocol):
    """Takes the newest view to whoever looks."""

    def publish(self, view: View) -> None:
        """Called once a tick after the commit."""


class Recorder(Protocol):
    """Writes Inputs and Outcomes so that they can be replayed."""

    def record(self, inputs: object, now: Instant, outcome: Outcome) -> None:
        """One tick."""
