"""The audit: lines in a chain, each written in the transaction of what it tells of."""

import sqlite3
from collections.abc import Iterator

from figwatch_agent.durations import Instant
from figwatch_agent.errors import StoreError
from figwatch_agent.model.audit import (
    AuditFault,
    AuditHead,
    AuditLine,
    AuditNote,
    first_fault,
    next_line,
    pruned,
    text_digest,
)
from figwatch_agent.store.values import to_text

_COLUMNS = "sequence, at, value, previous, hash"


def append(connection: sqlite3.Connection, note: AuditNote) -> None:
    """One more line, within the caller's transaction: an IMMEDIATE one, so that two writers never fork the chain."""
    to_text(note)  # refuses what no file can hold, before anything is written
    line = next_line(head(connection), note)
    connection.execute(
        f"INSERT INTO audit ({_COLUMNS}) VALUES (?, ?, ?, ?, ?)",  # noqa: S608 (fixed names)
        (line.sequence, line.at, line.text, line.previous, line.hash),
    )
    connection.execute("UPDATE audit_head SET sequence = ?, hash = ?", (line.sequence, line.hash))


def head(connection: sqlite3.Connection) -> AuditHead:
    """What the state says is its newest line. Raises StoreError where somebody took that away."""
    found = connection.execute("SELECT sequence, hash FROM audit_head").fetchone()
    if found is None:
        raise StoreError("the audit no longer says which line is its newest: somebody changed the state by hand")
    sequence, digest = found
    return AuditHead(sequence=sequence, hash=digest)


def lines(connection: sqlite3.Connection, limit: int) -> tuple[AuditLine, ...]:
    """The newest first."""
    found = connection.execute(
        f"SELECT {_COLUMNS} FROM audit ORDER BY sequence DESC LIMIT ?",  # noqa: S608 (fixed names)
        (limit,),
    )
    return tuple(_line(columns) for columns in found)


def holds(connection: sqlite3.Connection, digest: str) -> bool:
    """Whether a line has this hash."""
    return connection.execute("SELECT 1 FROM audit WHERE hash = ?", (digest,)).fetchone() is not None


def verify(connection: sqlite3.Connection) -> AuditFault | None:
    """The first line at which the chain does not hold."""
    commands = {id_: text_digest(value) for id_, value in connection.execute("SELECT id, value FROM command")}
    return first_fault(_oldest_first(connection), head(connection), commands)


def prune(connection: sqlite3.Connection, before: Instant) -> None:
    """Forget the oldest lines up to the first that is not older; a line that keeps the hash of the last one follows."""
    found = connection.execute(
        f"""SELECT {_COLUMNS} FROM audit
            WHERE sequence < (SELECT coalesce(min(sequence), 9223372036854775807) FROM audit WHERE at >= ?)
            ORDER BY sequence DESC LIMIT 1""",  # noqa: S608 (fixed names)
        (before,),
    ).fetchone()
    if found is None:
        return
    last = _line(found)
    append(connection, pruned(before, last))
    connection.execute("DELETE FROM audit WHERE sequence <= ?", (last.sequence,))


def _oldest_first(connection: sqlite3.Connection) -> Iterator[AuditLine]:
    found = connection.execute(f"SELECT {_COLUMNS} FROM audit ORDER BY sequence")  # noqa: S608 (fixed names)
    return (_line(columns) for columns in found)


def _line(columns: tuple[int, Instant, str, str, str]) -> AuditLine:
    sequence, at, text, previous, digest = columns
    return AuditLine(sequence=sequence, at=at, text=text, previous=previous, hash=digest)
