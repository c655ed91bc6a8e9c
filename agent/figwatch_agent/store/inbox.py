"""Commands and effects that wait for the loop; a consumed one stays known, so that its id is never taken twice."""

import sqlite3
from typing import Final

from figwatch_agent.model.audit import note_of
from figwatch_agent.model.command import Command
from figwatch_agent.model.effect import DeliveryEffect, Effect, RollbackEffect
from figwatch_agent.store import audit
from figwatch_agent.store.values import from_text, to_text

_EFFECTS: Final[dict[str, type[Effect]]] = {"rollback": RollbackEffect, "delivery": DeliveryEffect}


def put_command(connection: sqlite3.Connection, command: Command) -> bool:
    """Keep a command and the line of the audit that tells of it; False where its id is known and nothing changed."""
    done = connection.execute(
        "INSERT INTO command (id, at, consumed, value) VALUES (?, ?, 0, ?) ON CONFLICT (id) DO NOTHING",
        (command.id, command.at, to_text(command)),
    )
    if done.rowcount == 1:
        audit.append(connection, note_of(command))
    return done.rowcount == 1


def put_effect(connection: sqlite3.Connection, effect: Effect) -> bool:
    """Keep an effect; False where its id is known and nothing changed."""
    kind = "rollback" if isinstance(effect, RollbackEffect) else "delivery"
    done = connection.execute(
        "INSERT INTO effect (id, at, consumed, kind, value) VALUES (?, ?, 0, ?, ?) ON CONFLICT (id) DO NOTHING",
        (effect.id, effect.at, kind, to_text(effect)),
    )
    return done.rowcount == 1


def waiting(connection: sqlite3.Connection) -> tuple[tuple[Command, ...], tuple[Effect, ...]]:
    """What no committed Outcome has consumed, oldest first."""
    commands = connection.execute("SELECT value FROM command WHERE consumed = 0 ORDER BY position")
    effects = connection.execute("SELECT kind, value FROM effect WHERE consumed = 0 ORDER BY position")
    return (
        tuple(from_text(Command, value) for (value,) in commands),
        tuple(from_text(_EFFECTS[kind], value) for kind, value in effects),
    )


def consume(connection: sqlite3.Connection, commands: tuple[str, ...], effects: tuple[str, ...]) -> None:
    """Mark what an Outcome was made from; an unknown id changes nothing."""
    connection.executemany("UPDATE command SET consumed = 1 WHERE id = ?", [(id_,) for id_ in commands])
    connection.executemany("UPDATE effect SET consumed = 1 WHERE id = ?", [(id_,) for id_ in effects])


def is_waiting(connection: sqlite3.Connection, command: str) -> bool:
    """Whether a command was put and no committed Outcome has consumed it."""
    found = connection.execute("SELECT 1 FROM command WHERE id = ? AND consumed = 0", (command,)).fetchone()
    return found is not None
