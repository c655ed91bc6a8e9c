"""Deliveries: first in, first out per incident and receiver."""

import sqlite3
from dataclasses import replace
from typing import Any

from figwatch_agent.durations import Instant
from figwatch_agent.errors import StoreError
from figwatch_agent.model.agent import Queue
from figwatch_agent.model.effect import DeliveryEffect, DeliveryState
from figwatch_agent.model.journal import Delivery
from figwatch_agent.model.page import OutboxRow
from figwatch_agent.store import messages
from figwatch_agent.store.inbox import put_effect
from figwatch_agent.store.redirect import destination, takes_over
from figwatch_agent.store.values import from_text, to_text


def add(connection: sqlite3.Connection, row: OutboxRow, at: Instant) -> None:
    """A new row, to be tried at once; where its receiver has failed for this incident, it goes to the fallback."""
    receiver = destination(row.receiver, lambda name: _fallback(connection, row.incident, name))
    original = row.receiver if receiver != row.receiver else ""
    connection.execute(
        """INSERT INTO outbox (id, incident, receiver, original_receiver, state, attempts, created_at, next_at,
            reason, ambiguous, value) VALUES (?, ?, ?, ?, 'pending', 0, ?, 0, '', 0, ?) ON CONFLICT (id) DO NOTHING""",
        (row.id, row.incident, receiver, original, at, to_text(row)),
    )


def next_delivery(connection: sqlite3.Connection, receiver: str, now: Instant) -> Delivery | None:
    """The oldest row that no older unfinished row of its incident holds up, and whose time has come."""
    found = connection.execute(
        """SELECT value, receiver, state, attempts, created_at, next_at, reason, ambiguous, original_receiver
            FROM outbox AS mine
            WHERE receiver = ? AND state IN ('pending', 'sending') AND next_at <= ? AND NOT EXISTS (
                SELECT 1 FROM outbox AS older WHERE older.receiver = mine.receiver
                AND older.incident = mine.incident AND older.position < mine.position
                AND older.state IN ('pending', 'sending'))
            ORDER BY position LIMIT 1""",
        (receiver, now),
    ).fetchone()
    if found is None:
        return None
    delivery = _delivery(found)
    message_id = messages.of_row(connection, delivery.row)
    return replace(
        delivery, message_id=message_id, ambiguous=delivery.ambiguous or delivery.state is DeliveryState.SENDING
    )


def next_due(connection: sqlite3.Connection, receiver: str) -> Instant | None:
    """The least instant at which ``next_delivery`` gives a row; 0 for a row that may be tried at once."""
    (due,) = connection.execute(
        """SELECT min(next_at) FROM outbox AS mine
            WHERE receiver = ? AND state IN ('pending', 'sending') AND NOT EXISTS (
                SELECT 1 FROM outbox AS older WHERE older.receiver = mine.receiver
                AND older.incident = mine.incident AND older.position < mine.position
                AND older.state IN ('pending', 'sending'))""",
        (receiver,),
    ).fetchone()
    return None if due is None else int(due)


def begin(connection: sqlite3.Connection, row: str, attempt: int) -> None:
    """An attempt begins. If an earlier one was interrupted, it may have arrived, and that is never forgotten."""
    _unfinished(connection, row)
    connection.execute(
        """UPDATE outbox SET state = 'sending', attempts = ?, next_at = 0,
            ambiguous = ambiguous OR state = 'sending' WHERE id = ?""",
        (attempt, row),
    )


def postpone(connection: sqlite3.Connection, row: str, next_at: Instant, reason: str, ambiguous: bool) -> None:
    """The attempt failed and another will follow."""
    _unfinished(connection, row)
    connection.execute(
        """UPDATE outbox SET state = 'pending', next_at = ?, reason = ?, ambiguous = ambiguous OR ?
            WHERE id = ?""",
        (next_at, reason, ambiguous, row),
    )


def finish(
    connection: sqlite3.Connection,
    row: str,
    state: DeliveryState,
    effect: DeliveryEffect,
    fallback: str | None,
    message_id: str,
) -> None:
    """The row ends, or goes on at the fallback. The same effect again is no change."""
    refuse_odd_end(row, state, fallback, message_id)
    if not put_effect(connection, effect):
        return
    incident, receiver = _unfinished(connection, row)
    if message_id:
        messages.put(connection, row, message_id)
    heir = takes_over(receiver, fallback, lambda name: _fallback(connection, incident, name))
    if heir is None:
        connection.execute("UPDATE outbox SET state = ?, reason = ? WHERE id = ?", (state.value, effect.reason, row))
    else:
        connection.execute("UPDATE outbox SET reason = ? WHERE id = ?", (effect.reason, row))
        _hand_over(connection, incident, receiver, heir)


def refuse_odd_end(row: str, state: DeliveryState, fallback: str | None, message_id: str) -> None:
    """Raise StoreError for an end that is none, a fallback where nothing died, or a message that nobody accepted."""
    if not state.final:
        raise StoreError(f"outbox row {row} cannot end as {state.value}: an end is accepted, unconfirmed or dead")
    if fallback is not None and state is not DeliveryState.DEAD:
        raise StoreError(f"outbox row {row} is {state.value} and needs no fallback: only a dead row goes to one")
    if message_id and state is not DeliveryState.ACCEPTED:
        raise StoreError(f"outbox row {row} is {state.value} and has no message id: only an accepted row has one")


def deliveries(connection: sqlite3.Connection, incident: str | None, limit: int) -> tuple[Delivery, ...]:
    """Rows with their state, newest first."""
    found = connection.execute(
        """SELECT value, receiver, state, attempts, created_at, next_at, reason, ambiguous, original_receiver
            FROM outbox WHERE :incident IS NULL OR incident = :incident ORDER BY position DESC LIMIT :limit""",
        {"incident": incident, "limit": limit},
    )
    rows = [_delivery(columns) for columns in found]
    known = messages.known(connection, incident)
    return tuple(replace(each, message_id=known.get(messages.key(each.row), "")) for each in rows)


def oldest_pending(connection: sqlite3.Connection) -> Instant | None:
    """When the oldest unfinished row was made."""
    (at,) = connection.execute("SELECT min(created_at) FROM outbox WHERE state IN ('pending', 'sending')").fetchone()
    return None if at is None else int(at)


def queues(connection: sqlite3.Connection) -> tuple[Queue, ...]:
    """How many rows each receiver has in each state, by receiver and state; only those that have any."""
    found = connection.execute(
        "SELECT receiver, state, count(*) FROM outbox GROUP BY receiver, state ORDER BY receiver, state"
    )
    return tuple(Queue(receiver=receiver, state=state, rows=int(rows)) for receiver, state, rows in found)


def _hand_over(connection: sqlite3.Connection, incident: str, receiver: str, heir: str) -> None:
    # Nothing of these rows has reached the heir, so they start afresh there.
    connection.execute(
        """UPDATE outbox SET receiver = ?, state = 'pending', attempts = 0, next_at = 0, ambiguous = 0,
            original_receiver = iif(original_receiver = '', receiver, original_receiver)
            WHERE incident = ? AND receiver = ? AND state IN ('pending', 'sending')""",
        (heir, incident, receiver),
    )
    connection.execute(
        """INSERT INTO redirect (incident, receiver, fallback) VALUES (?, ?, ?)
            ON CONFLICT (incident, receiver) DO UPDATE SET fallback = excluded.fallback""",
        (incident, receiver, heir),
    )


def _fallback(connection: sqlite3.Connection, incident: str, receiver: str) -> str | None:
    found = connection.execute(
        "SELECT fallback FROM redirect WHERE incident = ? AND receiver = ?", (incident, receiver)
    ).fetchone()
    return None if found is None else str(found[0])


def _unfinished(connection: sqlite3.Connection, row: str) -> tuple[str, str]:
    """Incident and receiver of a row that has not ended."""
    found = connection.execute("SELECT incident, receiver, state FROM outbox WHERE id = ?", (row,)).fetchone()
    if found is None:
        raise StoreError(f"there is no outbox row {row}")
    incident, receiver, state = found
    if DeliveryState(state).final:
        raise StoreError(f"outbox row {row} has ended: it is {state}")
    return incident, receiver


def _delivery(columns: tuple[Any, ...]) -> Delivery:
    value, receiver, state, attempts, created_at, next_at, reason, ambiguous, original_receiver = columns
    return Delivery(
        row=replace(from_text(OutboxRow, value), receiver=receiver),
        state=DeliveryState(state),
        attempts=attempts,
        created_at=created_at,
        next_at=next_at,
        reason=reason,
        ambiguous=bool(ambiguous),
        original_receiver=original_receiver,
    )
