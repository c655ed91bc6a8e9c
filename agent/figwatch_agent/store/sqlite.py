"""The store on SQLite: one file, one agent, every commit synced to the disk before it counts."""

import os
from collections.abc import Sequence

from figwatch_agent.durations import SECOND, Duration, Instant
from figwatch_agent.model.agent import Queue
from figwatch_agent.model.audit import AuditFault, AuditHead, AuditLine, AuditNote
from figwatch_agent.model.baseline import RecordedBaseline
from figwatch_agent.model.command import Command
from figwatch_agent.model.effect import DeliveryEffect, DeliveryState, Effect, RollbackEffect, RollbackState
from figwatch_agent.model.event import Event, EventKind
from figwatch_agent.model.journal import Delivery, RollbackRecord, StepEntry, Topic
from figwatch_agent.model.outcome import LedgerEntry, Outcome, Saved, Transition
from figwatch_agent.store import audit, events, inbox, journal, messages, outbox, outcomes, schema
from figwatch_agent.store.connection import Connection
from figwatch_agent.store.lock import StateLock


class SqliteStore:
    """ports.Store on the SQLite file at ``path``, with ``path.lock`` beside it.

    Waits up to ``busy_timeout`` for another process that writes. Every method raises StoreUnavailable where the file
    cannot be read or written now, and has changed nothing then.
    """

    def __init__(self, path: str | os.PathLike[str], *, busy_timeout: Duration = 5 * SECOND) -> None:
        self._path = os.fspath(path)
        self._lock = StateLock(self._path)
        self._connection = Connection(self._path, busy_timeout)

    async def open(self) -> None:
        """Take the exclusive lock and bring the schema up. Raises StoreLocked, StoreTooNew, StoreUnavailable."""
        self._lock.acquire()
        try:
            await self._connection.open(lambda c: schema.bring_up(c, self._path))
        except BaseException:
            self._lock.release()
            raise

    async def close(self) -> None:
        """Finish what is under way and let go of the lock; harmless where nothing is open."""
        try:
            await self._connection.close()
        finally:
            self._lock.release()

    async def load(self) -> Saved:
        """The state as of the last committed Outcome; sections by name, open incidents before the newest closed."""
        return await self._connection.read(outcomes.load)

    async def commit(self, outcome: Outcome) -> None:
        """One transaction for the whole Outcome. The same sequence again is no change; a gap raises StoreError."""
        await self._connection.write(lambda c: outcomes.commit(c, outcome))

    async def transitions(self, limit: int = 500) -> tuple[Transition, ...]:
        """What happened, newest first."""
        return await self._connection.read(lambda c: outcomes.transitions(c, limit))

    async def ledger(self, slo: str | None = None) -> tuple[LedgerEntry, ...]:
        """The budget ledger, oldest first."""
        return await self._connection.read(lambda c: outcomes.ledger(c, slo))

    async def prune(self, before: Instant) -> None:
        """Forget what happened or ended earlier: transitions, rows, incidents, events, consumed wishes, audit lines."""
        await self._connection.write(lambda c: outcomes.prune(c, before))

    async def put(self, command: Command) -> None:
        """Keep a command and its line of the audit; durable when this returns. A known id is ignored."""
        await self._connection.write(lambda c: inbox.put_command(c, command))

    async def put_all(self, commands: Sequence[Command]) -> tuple[str, ...]:
        """All of them in one transaction; the ids that were not known."""
        return await self._connection.write(lambda c: tuple(each.id for each in commands if inbox.put_command(c, each)))

    async def events(self, kind: EventKind | None = None, limit: int = 500) -> tuple[Event, ...]:
        """What was told, newest first."""
        return await self._connection.read(lambda c: events.newest(c, kind, limit))

    async def baselines(self) -> tuple[RecordedBaseline, ...]:
        """Recorded baselines by criterion."""
        return await self._connection.read(events.baselines)

    async def note(self, note: AuditNote) -> None:
        """One more line of the audit; durable when this returns."""
        await self._connection.write(lambda c: audit.append(c, note))

    async def audit_lines(self, limit: int = 200) -> tuple[AuditLine, ...]:
        """Lines of the audit, newest first."""
        return await self._connection.read(lambda c: audit.lines(c, limit))

    async def audit_head(self) -> AuditHead:
        """The newest line, as the state itself says."""
        return await self._connection.read(audit.head)

    async def audit_fault(self) -> AuditFault | None:
        """The first line at which the chain does not hold; None where it holds."""
        return await self._connection.read(audit.verify)

    async def waiting(self) -> tuple[tuple[Command, ...], tuple[Effect, ...]]:
        """Commands and effects that no committed Outcome has consumed, oldest first."""
        return await self._connection.read(inbox.waiting)

    async def next_delivery(self, receiver: str, now: Instant) -> Delivery | None:
        """The oldest row of this receiver that may be tried now."""
        return await self._connection.read(lambda c: outbox.next_delivery(c, receiver, now))

    async def next_due(self, receiver: str) -> Instant | None:
        """When the next row of this receiver may be tried (0: at once), or None where there is none."""
        return await self._connection.read(lambda c: outbox.next_due(c, receiver))

    async def begin_delivery(self, row: str, attempt: int, now: Instant) -> None:
        """Committed before the attempt is made."""
        await self._connection.write(lambda c: outbox.begin(c, row, attempt))

    async def postpone_delivery(self, row: str, next_at: Instant, reason: str, ambiguous: bool) -> None:
        """The attempt failed and another will follow."""
        await self._connection.write(lambda c: outbox.postpone(c, row, next_at, reason, ambiguous))

    async def finish_delivery(
        self, row: str, state: DeliveryState, effect: DeliveryEffect, fallback: str | None, message_id: str = ""
    ) -> None:
        """The row ends, or goes to the fallback with all unfinished rows of its incident and receiver."""
        await self._connection.write(lambda c: outbox.finish(c, row, state, effect, fallback, message_id))

    async def deliveries(self, incident: str | None = None, limit: int = 200) -> tuple[Delivery, ...]:
        """Rows with their state, newest first."""
        return await self._connection.read(lambda c: outbox.deliveries(c, incident, limit))

    async def topics(self, receiver: str) -> tuple[Topic, ...]:
        """Every group of pages for which this receiver has given a message id."""
        return await self._connection.read(lambda c: messages.topics(c, receiver))

    async def oldest_pending(self) -> Instant | None:
        """When the oldest unfinished row was made."""
        return await self._connection.read(outbox.oldest_pending)

    async def queues(self) -> tuple[Queue, ...]:
        """How many rows each receiver has in each state, by receiver and state; only those that have any."""
        return await self._connection.read(outbox.queues)

    async def unfinished_rollbacks(self) -> tuple[RollbackRecord, ...]:
        """Intents that are not final, with their journal, oldest first."""
        return await self._connection.read(journal.unfinished)

    async def append_step(self, entry: StepEntry) -> None:
        """Durable when this returns."""
        await self._connection.write(lambda c: journal.append_step(c, entry))

    async def set_rollback(self, rollback: str, state: RollbackState, effect: RollbackEffect) -> None:
        """The new state and its effect, in one transaction; the same effect id again is no change."""
        await self._connection.write(lambda c: journal.set_state(c, rollback, state, effect))

    async def rollbacks(self, limit: int = 200) -> tuple[RollbackRecord, ...]:
        """All rollbacks, newest first."""
        return await self._connection.read(lambda c: journal.rollbacks(c, limit))
