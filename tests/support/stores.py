"""Stores for tests: the real one, its twin, and the real one opened anew for every call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, cast

from figwatch_agent.model.outcome import LedgerEntry, Outcome, RingRow, Transition
from figwatch_agent.model.page import OutboxRow
from figwatch_agent.ports import Store
from figwatch_agent.store.memory import MemoryStore
from figwatch_agent.store.sqlite import SqliteStore
from support.model_values import (
    NOON,
    a_baseline,
    a_command,
    a_ledger_entry,
    a_ring_row,
    a_rollback_effect,
    a_row,
    a_transition,
    an_event,
    an_incident,
    an_intent,
)


class _Reopened:
    """Opens the SQLite store for each call and closes it after: what is not in the file is not there."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def open(self) -> None:
        """Nothing: each call opens."""

    async def close(self) -> None:
        """Nothing: each call closes."""

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def call(*arguments: object, **named: object) -> Any:
            store = SqliteStore(self._path)
            await store.open()
            try:
                return await getattr(store, name)(*arguments, **named)
            finally:
                await store.close()

        return call


FLAVOURS: Final[dict[str, Callable[[Path], Store]]] = {
    "memory": lambda folder: MemoryStore(),
    "sqlite": lambda folder: SqliteStore(folder / "figwatch.db"),
    "sqlite reopened": lambda folder: cast("Store", _Reopened(folder / "figwatch.db")),
}
"""Every store that must behave alike, by name."""


def rows_for(receiver: str, *numbers: int, incident: str = "incident-1") -> tuple[OutboxRow, ...]:
    """Outbox rows of one incident for one receiver, with ids as the engine makes them."""
    return tuple(a_row(f"{incident}/{number}/{receiver}", incident=incident, receiver=receiver) for number in numbers)


def a_full_outcome(sequence: int = 1, *, events: int = 2) -> Outcome:
    """An Outcome with something in every part. Its command and effect are those of ``fill_inbox``."""
    incident = f"incident-{sequence}"
    at = NOON + sequence
    transitions: tuple[Transition, ...] = tuple(a_transition(f"{sequence}.{n}", at=at) for n in range(events))
    ledger: tuple[LedgerEntry, ...] = tuple(a_ledger_entry(sequence, 10, side=f"side-{n}") for n in range(events))
    ring_rows: tuple[RingRow, ...] = tuple(a_ring_row(n, bytes([sequence, n]), boundary=at) for n in range(events))
    return Outcome(
        sequence=sequence,
        at=at,
        transitions=transitions,
        outbox=(*rows_for("oncall", 1, incident=incident), *rows_for("chat-ops", 1, incident=incident)),
        intents=(an_intent(f"{incident}/rollback", incident=incident),),
        incidents=(an_incident(incident),),
        ledger=ledger,
        ring_rows=ring_rows,
        sections=(("counters", bytes([sequence]) * 3), ("guard", b"\x00" + bytes([sequence]))),
        commands=(f"command-{sequence}",),
        effects=(f"incident-{sequence - 1}/rollback/whole/running",),
        events=tuple(an_event(f"d{sequence}.{n}", at=at) for n in range(events)),
        baselines=(a_baseline(value=Fraction(sequence, 7)),),
    )


async def fill_inbox(store: Store, sequence: int) -> None:
    """Put what ``a_full_outcome(sequence)`` consumes; its effect needs the outcome before to be committed."""
    await store.put(a_command(f"command-{sequence}"))
    if sequence > 1:
        before = f"incident-{sequence - 1}"
        effect = a_rollback_effect(rollback=f"{before}/rollback", incident=before)
        await store.set_rollback(effect.rollback, effect.state, effect)


async def everything(store: Store) -> tuple[object, ...]:
    """All that can be asked of a store, to compare two."""
    return (
        await store.load(),
        await store.waiting(),
        await store.deliveries(limit=10_000),
        await store.transitions(limit=10_000),
        await store.ledger(),
        await store.rollbacks(limit=10_000),
        await store.unfinished_rollbacks(),
        await store.oldest_pending(),
        await store.audit_lines(limit=10_000),
        await store.audit_head(),
        await store.audit_fault(),
        await store.events(limit=10_000),
        await store.baselines(),
    )
