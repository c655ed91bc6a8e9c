"""The store in memory: the twin of the SQLite store for tests and replays, and the plainest account of what it does."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from figwatch_agent.durations import Instant
from figwatch_agent.errors import StoreError
from figwatch_agent.model.agent import Queue
from figwatch_agent.model.audit import (
    AuditFault,
    AuditHead,
    AuditLine,
    AuditNote,
    first_fault,
    next_line,
    note_of,
    pruned,
    text_digest,
)
from figwatch_agent.model.baseline import RecordedBaseline
from figwatch_agent.model.command import Command
from figwatch_agent.model.effect import DeliveryEffect, DeliveryState, Effect, RollbackEffect, RollbackState
from figwatch_agent.model.event import Event, EventKind
from figwatch_agent.model.incident import Incident
from figwatch_agent.model.intent import RollbackIntent
from figwatch_agent.model.journal import Delivery, RollbackRecord, StepEntry, Topic
from figwatch_agent.model.ledger import Key, settle
from figwatch_agent.model.outcome import LedgerEntry, Outcome, RingRow, Saved, Transition
from figwatch_agent.model.page import OutboxRow
from figwatch_agent.store import messages
from figwatch_agent.store.journal import refuse_late_change
from figwatch_agent.store.outbox import refuse_odd_end
from figwatch_agent.store.outcomes import CLOSED_INCIDENTS_LOADED, is_next
from figwatch_agent.store.redirect import destination, takes_over
from figwatch_agent.store.values import to_text


class MemoryStore:
    """ports.Store that forgets when its process ends. It may be closed and opened again, and keeps what it has."""

    def __init__(self) -> None:
        self._sequence = 0
        self._at: Instant | None = None
        self._sections: dict[str, bytes] = {}
        self._ring_rows: dict[tuple[str, int, int], RingRow] = {}
        self._ledger: dict[Key, LedgerEntry] = {}
        self._incidents: dict[str, Incident] = {}  # in the order they were opened
        self._transitions: list[Transition] = []
        self._outbox: dict[str, Delivery] = {}  # in the order they were made
        self._redirects: dict[tuple[str, str], str] = {}
        self._messages: dict[messages.Key, str] = {}
        self._rollbacks: dict[str, RollbackRecord] = {}
        self._commands: dict[str, Command] = {}
        self._effects: dict[str, Effect] = {}
        self._consumed_commands: set[str] = set()
        self._consumed_effects: set[str] = set()
        self._audit: list[AuditLine] = []
        self._audit_head = AuditHead()
        self._events: dict[str, Event] = {}
        self._baselines: dict[str, RecordedBaseline] = {}

    async def open(self) -> None:
        """Nothing to take."""

    async def close(self) -> None:
        """Nothing to let go of."""

    async def load(self) -> Saved:
        """The state as of the last committed Outcome; sections by name, open incidents before the newest closed."""
        current = max((entry.interval for entry in self._ledger.values()), default=None)
        return Saved(
            sequence=self._sequence,
            at=self._at,
            sections=tuple(sorted(self._sections.items())),
            ring_rows=tuple(row for _, row in sorted(self._ring_rows.items(), key=lambda item: item[0])),
            ledger=tuple(entry for entry in await self.ledger() if entry.interval == current),
            incidents=self._known_incidents(),
            events=tuple(sorted(self._events.values(), key=_when)),
            baselines=await self.baselines(),
        )

    async def commit(self, outcome: Outcome) -> None:
        """The whole Outcome. The same sequence again is no change; a gap raises StoreError."""
        if not is_next(self._sequence, outcome.sequence):
            return
        self._transitions += outcome.transitions
        self._incidents.update({incident.id: incident for incident in outcome.incidents})
        for row in outcome.outbox:
            self._add_row(row, outcome.at)
        for intent in outcome.intents:
            self._add_intent(intent)
        settle(self._ledger, outcome)
        self._ring_rows.update({(row.ring, row.level, row.slot): row for row in outcome.ring_rows})
        self._sections.update(outcome.sections)
        self._events = {event.key: event for event in reversed(outcome.events)} | self._events
        self._baselines.update({each.criterion: each for each in outcome.baselines})
        self._consumed_commands.update(id_ for id_ in outcome.commands if id_ in self._commands)
        self._consumed_effects.update(id_ for id_ in outcome.effects if id_ in self._effects)
        self._sequence, self._at = outcome.sequence, outcome.at

    async def transitions(self, limit: int = 500) -> tuple[Transition, ...]:
        """What happened, newest first."""
        return tuple(reversed(self._transitions))[:limit]

    async def ledger(self, slo: str | None = None) -> tuple[LedgerEntry, ...]:
        """The budget ledger, oldest first."""
        return tuple(entry for _, entry in sorted(self._ledger.items()) if slo is None or entry.slo == slo)

    async def prune(self, before: Instant) -> None:
        """Forget what happened or ended earlier: transitions, rows, incidents, events, consumed wishes, audit lines."""
        self._transitions = [each for each in self._transitions if each.at >= before]
        self._events = {key: each for key, each in self._events.items() if each.at >= before}
        self._outbox = {
            id_: each for id_, each in self._outbox.items() if each.created_at >= before or not each.state.final
        }
        self._incidents = {
            id_: each for id_, each in self._incidents.items() if each.resolved_at is None or each.resolved_at >= before
        }
        for id_ in [id_ for id_ in self._consumed_commands if self._commands[id_].at < before]:
            self._consumed_commands.remove(id_)
            del self._commands[id_]
        for id_ in [id_ for id_ in self._consumed_effects if self._effects[id_].at < before]:
            self._consumed_effects.remove(id_)
            del self._effects[id_]
        known = self._incidents.keys() | {each.row.incident for each in self._outbox.values()}
        self._redirects = {key: heir for key, heir in self._redirects.items() if key[0] in known}
        self._messages = {key: name for key, name in self._messages.items() if key[0] in known}
        await self._prune_audit(before)

    async def put(self, command: Command) -> None:
        """Keep a command and its line of the audit. A known id is ignored."""
        if command.id not in self._commands:
            self._commands[command.id] = command
            await self.note(note_of(command))

    async def put_all(self, commands: Sequence[Command]) -> tuple[str, ...]:
        """All of them or none; the ids that were not known."""
        for command in commands:
            to_text(command)  # one that cannot be kept is found before any is
        unknown = tuple(dict.fromkeys(each.id for each in commands if each.id not in self._commands))
        for command in commands:
            await self.put(command)
        return unknown

    async def events(self, kind: EventKind | None = None, limit: int = 500) -> tuple[Event, ...]:
        """What was told, newest first."""
        mine = (each for each in self._events.values() if kind in (None, each.kind))
        return tuple(sorted(mine, key=_when, reverse=True))[:limit]

    async def baselines(self) -> tuple[RecordedBaseline, ...]:
        """Recorded baselines by criterion."""
        return tuple(each for _, each in sorted(self._baselines.items()))

    async def note(self, note: AuditNote) -> None:
        """One more line of the audit."""
        to_text(note)
        line = next_line(self._audit_head, note)
        self._audit.append(line)
        self._audit_head = AuditHead(sequence=line.sequence, hash=line.hash)

    async def audit_lines(self, limit: int = 200) -> tuple[AuditLine, ...]:
        """Lines of the audit, newest first."""
        return tuple(reversed(self._audit))[:limit]

    async def audit_head(self) -> AuditHead:
        """The newest line, as the state itself says."""
        return self._audit_head

    async def audit_fault(self) -> AuditFault | None:
        """The first line at which the chain does not hold; None where it holds."""
        commands = {id_: text_digest(to_text(each)) for id_, each in self._commands.items()}
        return first_fault(self._audit, self._audit_head, commands)

    async def waiting(self) -> tuple[tuple[Command, ...], tuple[Effect, ...]]:
        """Commands and effects that no committed Outcome has consumed, oldest first."""
        return (
            tuple(each for id_, each in self._commands.items() if id_ not in self._consumed_commands),
            tuple(each for id_, each in self._effects.items() if id_ not in self._consumed_effects),
        )

    async def next_delivery(self, receiver: str, now: Instant) -> Delivery | None:
        """The oldest row of this receiver that may be tried now."""
        for delivery in self._heads(receiver):
            if delivery.next_at <= now:
                interrupted = delivery.state is DeliveryState.SENDING
                return replace(self._threaded(delivery), ambiguous=delivery.ambiguous or interrupted)
        return None

    async def next_due(self, receiver: str) -> Instant | None:
        """When the next row of this receiver may be tried (0: at once), or None where there is none."""
        return min((delivery.next_at for delivery in self._heads(receiver)), default=None)

    async def begin_delivery(self, row: str, attempt: int, now: Instant) -> None:
        """An attempt begins. If an earlier one was interrupted, it may have arrived, and that is never forgotten."""
        before = self._unfinished(row)
        ambiguous = before.ambiguous or before.state is DeliveryState.SENDING
        self._outbox[row] = replace(
            before, state=DeliveryState.SENDING, attempts=attempt, next_at=0, ambiguous=ambiguous
        )

    async def postpone_delivery(self, row: str, next_at: Instant, reason: str, ambiguous: bool) -> None:
        """The attempt failed and another will follow."""
        before = self._unfinished(row)
        self._outbox[row] = replace(
            before,
            state=DeliveryState.PENDING,
            next_at=next_at,
            reason=reason,
            ambiguous=before.ambiguous or ambiguous,
        )

    async def finish_delivery(
        self, row: str, state: DeliveryState, effect: DeliveryEffect, fallback: str | None, message_id: str = ""
    ) -> None:
        """The row ends, or goes to the fallback with all unfinished rows of its incident and receiver."""
        refuse_odd_end(row, state, fallback, message_id)
        if effect.id in self._effects:
            return
        ended = replace(self._unfinished(row), reason=effect.reason)
        self._effects[effect.id] = effect
        if message_id:
            self._messages[messages.key(ended.row)] = message_id
        incident, receiver = ended.row.incident, ended.row.receiver
        heir = takes_over(receiver, fallback, lambda name: self._redirects.get((incident, name)))
        self._outbox[row] = ended if heir is not None else replace(ended, state=state)
        if heir is not None:
            self._hand_over(incident, receiver, heir)

    async def deliveries(self, incident: str | None = None, limit: int = 200) -> tuple[Delivery, ...]:
        """Rows with their state, newest first."""
        rows = [each for each in self._outbox.values() if incident is None or each.row.incident == incident]
        return tuple(self._threaded(each) for each in reversed(rows))[:limit]

    async def topics(self, receiver: str) -> tuple[Topic, ...]:
        """Every group of pages for which this receiver has given a message id."""
        return tuple(
            Topic(incident=incident, group=group, message_id=message_id)
            for (incident, whose, group), message_id in sorted(self._messages.items())
            if whose == receiver
        )

    async def oldest_pending(self) -> Instant | None:
        """When the oldest unfinished row was made."""
        return min((each.created_at for each in self._outbox.values() if not each.state.final), default=None)

    async def queues(self) -> tuple[Queue, ...]:
        """How many rows each receiver has in each state, by receiver and state; only those that have any."""
        found = Counter((each.row.receiver, each.state.value) for each in self._outbox.values())
        return tuple(Queue(receiver=who, state=state, rows=rows) for (who, state), rows in sorted(found.items()))

    async def unfinished_rollbacks(self) -> tuple[RollbackRecord, ...]:
        """Intents that are not final, with their journal, oldest first."""
        return tuple(record for record in self._rollbacks.values() if not record.state.final)

    async def append_step(self, entry: StepEntry) -> None:
        """One more line of a rollback's journal."""
        record = self._rollback(entry.rollback)
        self._rollbacks[entry.rollback] = replace(record, entries=(*record.entries, entry))

    async def set_rollback(self, rollback: str, state: RollbackState, effect: RollbackEffect) -> None:
        """The new state and its effect; the same effect id again is no change."""
        if effect.id in self._effects:
            return
        record = self._rollback(rollback)
        refuse_late_change(rollback, record.state, state)
        self._effects[effect.id] = effect
        self._rollbacks[rollback] = replace(record, state=state)

    async def rollbacks(self, limit: int = 200) -> tuple[RollbackRecord, ...]:
        """All rollbacks, newest first."""
        return tuple(reversed(self._rollbacks.values()))[:limit]

    async def _prune_audit(self, before: Instant) -> None:
        kept = next((index for index, line in enumerate(self._audit) if line.at >= before), len(self._audit))
        if kept:
            await self.note(pruned(before, self._audit[kept - 1]))
            del self._audit[:kept]

    def _known_incidents(self) -> tuple[Incident, ...]:
        opened = [incident for incident in self._incidents.values() if incident.resolved_at is None]
        closed = [
            (incident.resolved_at, position, incident)
            for position, incident in enumerate(self._incidents.values())
            if incident.resolved_at is not None
        ]
        newest = sorted(closed, key=lambda each: each[:2], reverse=True)[:CLOSED_INCIDENTS_LOADED]
        return (*opened, *(incident for _, _, incident in newest))

    def _heads(self, receiver: str) -> list[Delivery]:
        """The oldest unfinished row of each incident for a receiver, oldest first."""
        heads: dict[str, Delivery] = {}
        for delivery in self._outbox.values():
            if delivery.row.receiver == receiver and not delivery.state.final:
                heads.setdefault(delivery.row.incident, delivery)
        return list(heads.values())

    def _threaded(self, delivery: Delivery) -> Delivery:
        return replace(delivery, message_id=self._messages.get(messages.key(delivery.row), ""))

    def _add_row(self, row: OutboxRow, at: Instant) -> None:
        receiver = destination(row.receiver, lambda name: self._redirects.get((row.incident, name)))
        new = Delivery(
            row=replace(row, receiver=receiver),
            state=DeliveryState.PENDING,
            attempts=0,
            created_at=at,
            next_at=0,
            original_receiver=row.receiver if receiver != row.receiver else "",
        )
        self._outbox.setdefault(row.id, new)

    def _add_intent(self, intent: RollbackIntent) -> None:
        if all(intent.incident != record.intent.incident for record in self._rollbacks.values()):
            new = RollbackRecord(intent=intent, state=RollbackState.COMMITTED)
            self._rollbacks.setdefault(intent.id, new)

    def _hand_over(self, incident: str, receiver: str, heir: str) -> None:
        for id_, each in self._outbox.items():
            if each.row.incident == incident and each.row.receiver == receiver and not each.state.final:
                self._outbox[id_] = replace(
                    each,
                    row=replace(each.row, receiver=heir),
                    state=DeliveryState.PENDING,
                    attempts=0,
                    next_at=0,
                    ambiguous=False,
                    original_receiver=each.original_receiver or receiver,
                )
        self._redirects[incident, receiver] = heir

    def _unfinished(self, row: str) -> Delivery:
        found = self._outbox.get(row)
        if found is None:
            raise StoreError(f"there is no outbox row {row}")
        if found.state.final:
            raise StoreError(f"outbox row {row} has ended: it is {found.state.value}")
        return found

    def _rollback(self, rollback: str) -> RollbackRecord:
        found = self._rollbacks.get(rollback)
        if found is None:
            raise StoreError(f"there is no rollback {rollback}")
        return found


def _when(event: Event) -> tuple[Instant, str]:
    return event.at, event.key
