"""Rollbacks and their steps."""

import sqlite3

from figwatch_agent.errors import StoreError
from figwatch_agent.model.effect import RollbackEffect, RollbackState
from figwatch_agent.model.intent import RollbackIntent
from figwatch_agent.model.journal import RollbackRecord, StepEntry
from figwatch_agent.store.inbox import put_effect
from figwatch_agent.store.values import from_text, to_text


def add(connection: sqlite3.Connection, intent: RollbackIntent) -> None:
    """A new intent. The first of an incident stands: there is at most one execution per incident."""
    connection.execute(
        "INSERT INTO rollback (id, incident, state, value) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (intent.id, intent.incident, RollbackState.COMMITTED.value, to_text(intent)),
    )


def append_step(connection: sqlite3.Connection, entry: StepEntry) -> None:
    """One more line of a rollback's journal."""
    _state(connection, entry.rollback)
    connection.execute("INSERT INTO step (rollback, value) VALUES (?, ?)", (entry.rollback, to_text(entry)))


def set_state(connection: sqlite3.Connection, rollback: str, state: RollbackState, effect: RollbackEffect) -> None:
    """The new state and its effect; the same effect again is no change, and a final state stands."""
    if not put_effect(connection, effect):
        return
    refuse_late_change(rollback, _state(connection, rollback), state)
    connection.execute("UPDATE rollback SET state = ? WHERE id = ?", (state.value, rollback))


def refuse_late_change(rollback: str, before: RollbackState, after: RollbackState) -> None:
    """Raise StoreError where a final state would change."""
    if before.final and after is not before:
        raise StoreError(f"rollback {rollback} is {before.value}, which is final: it cannot become {after.value}")


def unfinished(connection: sqlite3.Connection) -> tuple[RollbackRecord, ...]:
    """Rollbacks that are not final, oldest first."""
    found = connection.execute(
        "SELECT id, state, value FROM rollback WHERE state IN ('committed', 'running') ORDER BY position"
    )
    return _records(connection, found.fetchall())


def rollbacks(connection: sqlite3.Connection, limit: int) -> tuple[RollbackRecord, ...]:
    """All rollbacks, newest first."""
    found = connection.execute("SELECT id, state, value FROM rollback ORDER BY position DESC LIMIT ?", (limit,))
    return _records(connection, found.fetchall())


def _records(connection: sqlite3.Connection, found: list[tuple[str, str, str]]) -> tuple[RollbackRecord, ...]:
    return tuple(
        RollbackRecord(
            intent=from_text(RollbackIntent, value),
            state=RollbackState(state),
            entries=_entries(connection, rollback),
        )
        for rollback, state, value in found
    )


def _entries(connection: sqlite3.Connection, rollback: str) -> tuple[StepEntry, ...]:
    found = connection.execute("SELECT value FROM step WHERE rollback = ? ORDER BY position", (rollback,))
    return tuple(from_text(StepEntry, value) for (value,) in found)


def _state(connection: sqlite3.Connection, rollback: str) -> RollbackState:
    found = connection.execute("SELECT state FROM rollback WHERE id = ?", (rollback,)).fetchone()
    if found is None:
        raise StoreError(f"there is no rollback {rollback}")
    return RollbackState(found[0])
