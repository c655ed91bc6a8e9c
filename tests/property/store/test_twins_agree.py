"""Whatever is asked of them in whatever order, the SQLite store and its in-memory twin answer alike."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from figwatch_agent.errors import StoreError
from figwatch_agent.model.effect import DeliveryState, RollbackState
from figwatch_agent.model.incident import Incident
from figwatch_agent.model.intent import RollbackIntent
from figwatch_agent.model.journal import StepState
from figwatch_agent.model.outcome import LedgerEntry, Outcome, RingRow
from figwatch_agent.model.page import OutboxRow
from figwatch_agent.ports import Store
from figwatch_agent.store.memory import MemoryStore
from figwatch_agent.store.sqlite import SqliteStore
from support.folders import quick_folder
from support.model_values import (
    NOON,
    a_command,
    a_delivery_effect,
    a_ledger_entry,
    a_ring_row,
    a_rollback_effect,
    a_row,
    a_step_entry,
    a_transition,
    an_incident,
    an_intent,
)
from support.stores import everything

incidents = st.sampled_from(["i1", "i2"])
receivers = st.sampled_from(["oncall", "chat-ops", "mail"])
message_ids = st.sampled_from(["", "", "C1/1.5", "C1/2.5"])
numbers = st.integers(1, 3)
instants = st.integers(NOON - 3, NOON + 3)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)


@st.composite
def rows(draw: st.DrawFn) -> OutboxRow:
    """A row among few, so that ids and incidents meet again."""
    incident, receiver = draw(incidents), draw(receivers)
    return a_row(f"{incident}/{draw(numbers)}/{receiver}", incident=incident, receiver=receiver)


@st.composite
def changed_incidents(draw: st.DrawFn) -> Incident:
    """An incident, open or closed."""
    resolved_at = draw(st.none() | instants)
    return replace(an_incident(draw(incidents), resolved_at=resolved_at), service=draw(texts))


@st.composite
def intents(draw: st.DrawFn) -> RollbackIntent:
    """An intent, sometimes of an incident that has one."""
    return an_intent(f"{draw(incidents)}/rollback", incident=draw(incidents), at=draw(instants))


@st.composite
def cells(draw: st.DrawFn) -> LedgerEntry:
    """A cell of the ledger."""
    return a_ledger_entry(
        draw(st.integers(0, 2**40)), draw(st.integers(0, 2**40)), interval=draw(instants), slo=draw(texts)
    )


@st.composite
def ring_rows(draw: st.DrawFn) -> RingRow:
    """A boundary of one of two levels."""
    return a_ring_row(draw(numbers), draw(st.binary(max_size=9)), level=draw(st.integers(0, 1)), ring=draw(texts))


@st.composite
def outcomes(draw: st.DrawFn) -> Outcome:
    """An Outcome whose sequence is set by the machine."""

    def some(each: st.SearchStrategy[Any]) -> Any:
        return tuple(draw(st.lists(each, max_size=2)))

    return Outcome(
        sequence=0,
        at=draw(instants),
        transitions=some(st.builds(a_transition, texts, at=instants)),
        outbox=tuple(draw(st.lists(rows(), max_size=4))),
        intents=some(intents()),
        incidents=some(changed_incidents()),
        ledger=some(cells()),
        ring_rows=some(ring_rows()),
        sections=some(st.tuples(texts, st.binary(max_size=4))),
        commands=some(st.sampled_from(["c1", "c2", "c3"])),
    )


class Twins(RuleBasedStateMachine):
    """Does everything to both and compares what they say and what they hold."""

    def __init__(self) -> None:
        super().__init__()
        self._cleanup = ExitStack()
        self._folder: Path = self._cleanup.enter_context(quick_folder())
        self._runner = self._cleanup.enter_context(asyncio.Runner())
        self._memory = MemoryStore()
        self._sqlite = SqliteStore(self._folder / "figwatch.db")
        self._sequence = 0

    @initialize()
    def start(self) -> None:
        """Open."""
        self._runner.run(self._sqlite.open())

    def teardown(self) -> None:
        """Leave nothing behind."""
        self._runner.run(self._sqlite.close())
        self._cleanup.close()

    def both(self, ask: Callable[[Store], Awaitable[Any]]) -> Any:
        """The answer of both, which may be a refusal."""

        async def answer(store: Store) -> Any:
            try:
                return await ask(store)
            except StoreError as refusal:
                return str(refusal)

        first, second = (self._runner.run(answer(store)) for store in (self._memory, self._sqlite))
        assert first == second
        return first

    @rule(outcome=outcomes(), step=st.sampled_from([1, 1, 1, 1, 0, 2, -1]), data=st.data())
    def commit(self, outcome: Outcome, step: int, data: st.DataObject) -> None:
        """The next Outcome, the last again, or one that cannot follow."""
        _, effects = self.both(lambda store: store.waiting())
        consumed = tuple(data.draw(st.sampled_from(effects)).id for _ in effects[:2])
        numbered = replace(outcome, sequence=self._sequence + step, effects=consumed)
        if self.both(lambda store: store.commit(numbered)) is None and step == 1:
            self._sequence += 1

    @rule(id_=st.sampled_from(["c1", "c2", "c3"]), at=instants)
    def put(self, id_: str, at: int) -> None:
        """A command, new or known."""
        self.both(lambda store: store.put(a_command(id_, at=at)))

    @rule(receiver=receivers, now=instants, how=st.sampled_from(["leave", "postpone", *DeliveryState]), data=st.data())
    def work(self, receiver: str, now: int, how: str, data: st.DataObject) -> None:
        """What a worker does with the next row of its receiver; where it leaves, it was killed."""
        delivery = self.both(lambda store: store.next_delivery(receiver, now))
        if delivery is None:
            return
        row = delivery.row.id
        self.both(lambda store: store.begin_delivery(row, delivery.attempts + 1, now))
        if how == "postpone":
            until, ambiguous = data.draw(instants), data.draw(st.booleans())
            self.both(lambda store: store.postpone_delivery(row, until, "timeout", ambiguous))
        elif how != "leave":
            self.finish(delivery.row, DeliveryState(how), data.draw(st.none() | receivers), data.draw(message_ids))

    @rule(row=rows(), state=st.sampled_from(DeliveryState), fallback=st.none() | receivers, message_id=message_ids)
    def finish(self, row: OutboxRow, state: DeliveryState, fallback: str | None, message_id: str) -> None:
        """An end of any row, sensible or not."""
        effect = a_delivery_effect(row.id, state, receiver=row.receiver, reason="why")
        self.both(lambda store: store.finish_delivery(row.id, state, effect, fallback, message_id))

    @rule(incident=incidents, state=st.sampled_from(RollbackState), step=st.sampled_from([None, "step-1"]))
    def change_rollback(self, incident: str, state: RollbackState, step: str | None) -> None:
        """A change of a rollback that may not exist or may be over."""
        effect = a_rollback_effect(state, rollback=f"{incident}/rollback", incident=incident, step=step)
        self.both(lambda store: store.set_rollback(effect.rollback, state, effect))

    @rule(incident=incidents, state=st.sampled_from(StepState))
    def append(self, incident: str, state: StepState) -> None:
        """A line of a journal that may not exist."""
        self.both(lambda store: store.append_step(a_step_entry(f"{incident}/rollback", state=state)))

    @rule(before=instants)
    def prune(self, before: int) -> None:
        """Forget."""
        self.both(lambda store: store.prune(before))

    @rule()
    def reopen(self) -> None:
        """The agent restarts."""
        self._runner.run(self._sqlite.close())
        self._runner.run(self._sqlite.open())

    @invariant()
    def hold_the_same(self) -> None:
        """All that can be asked gives the same answer."""
        self.both(everything)
        for receiver in ("oncall", "chat-ops", "mail"):
            self.both(lambda store, name=receiver: store.next_due(name))  # type: ignore[misc]  # a default binds the loop's value


TestTwins = Twins.TestCase
TestTwins.settings = settings(max_examples=20, stateful_step_count=25, deadline=None)
