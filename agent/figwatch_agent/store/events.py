"""Events that were told, each once by its key, and recorded baselines."""

import sqlite3
from collections.abc import Iterable

from figwatch_agent.durations import Instant
from figwatch_agent.model.baseline import RecordedBaseline
from figwatch_agent.model.event import Event, EventKind
from figwatch_agent.store.values import from_text, to_text


def add(connection: sqlite3.Connection, events: Iterable[Event]) -> None:
    """Keep events; one whose key is known changes nothing."""
    connection.executemany(
        "INSERT INTO event (key, kind, at, value) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
        [(event.key, event.kind.value, event.at, to_text(event)) for event in events],
    )


def load(connection: sqlite3.Connection) -> tuple[Event, ...]:
    """All of them, oldest first."""
    found = connection.execute("SELECT value FROM event ORDER BY at, key")
    return tuple(from_text(Event, value) for (value,) in found)


def newest(connection: sqlite3.Connection, kind: EventKind | None, limit: int) -> tuple[Event, ...]:
    """Those that happened last, newest first; of one kind where one is given."""
    found = connection.execute(
        "SELECT value FROM event WHERE :kind IS NULL OR kind = :kind ORDER BY at DESC, key DESC LIMIT :limit",
        {"kind": None if kind is None else kind.value, "limit": limit},
    )
    return tuple(from_text(Event, value) for (value,) in found)


def prune(connection: sqlite3.Connection, before: Instant) -> None:
    """Forget what happened before an instant. Baselines stay."""
    connection.execute("DELETE FROM event WHERE at < ?", (before,))


def set_baselines(connection: sqlite3.Connection, baselines: Iterable[RecordedBaseline]) -> None:
    """Keep baselines, each in the place of any before it."""
    connection.executemany(
        """INSERT INTO baseline (criterion, value) VALUES (?, ?)
            ON CONFLICT (criterion) DO UPDATE SET value = excluded.value""",
        [(each.criterion, to_text(each)) for each in baselines],
    )


def baselines(connection: sqlite3.Connection) -> tuple[RecordedBaseline, ...]:
    """By criterion."""
    found = connection.execute("SELECT value FROM baseline ORDER BY criterion")
    return tuple(from_text(RecordedBaseline, value) for (value,) in found)
