"""The way in for other processes, such as the command line, while the agent runs and holds the lock."""

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from figwatch_agent.durations import SECOND, Duration
from figwatch_agent.errors import StoreError, StoreUnavailable
from figwatch_agent.model.audit import AuditFault, AuditHead, AuditLine
from figwatch_agent.model.baseline import RecordedBaseline
from figwatch_agent.model.command import Command
from figwatch_agent.model.event import Event, EventKind
from figwatch_agent.model.incident import Incident
from figwatch_agent.model.journal import Delivery, RollbackRecord
from figwatch_agent.model.outcome import Saved, Transition
from figwatch_agent.store import audit, events, inbox, journal, outbox, outcomes, schema
from figwatch_agent.store.connection import connect, transaction, translated


class InboxWriter:
    """Puts commands and reads; it decides nothing. Made by ``open_inbox``."""

    def __init__(self, connection: sqlite3.Connection, path: str) -> None:
        self._connection = connection
        self._path = path

    def put(self, command: Command) -> None:
        """Keep a command for the loop, and its line of the audit; durable when this returns. A known id is ignored."""
        with transaction(self._connection, self._path):
            inbox.put_command(self._connection, command)

    def put_all(self, commands: Sequence[Command]) -> tuple[str, ...]:
        """All of them or none, in one transaction; the ids that were not known."""
        with transaction(self._connection, self._path):
            return tuple(each.id for each in commands if inbox.put_command(self._connection, each))

    def events(self, kind: EventKind | None = None, limit: int = 500) -> tuple[Event, ...]:
        """What was told, newest first."""
        with translated(self._path):
            return events.newest(self._connection, kind, limit)

    def baselines(self) -> tuple[RecordedBaseline, ...]:
        """Recorded baselines by criterion."""
        with translated(self._path):
            return events.baselines(self._connection)

    def saved(self) -> Saved:
        """The state as of the last committed Outcome, as an agent that starts now would find it."""
        with transaction(self._connection, self._path, "BEGIN"):
            return outcomes.load(self._connection)

    def is_waiting(self, command: str) -> bool:
        """Whether the loop has still to decide on a command that was put."""
        with translated(self._path):
            return inbox.is_waiting(self._connection, command)

    def incidents(self) -> tuple[Incident, ...]:
        """Open incidents, then the newest closed."""
        with transaction(self._connection, self._path, "BEGIN"):
            return outcomes.incidents(self._connection)

    def rollbacks(self, limit: int = 200) -> tuple[RollbackRecord, ...]:
        """All rollbacks, newest first."""
        with transaction(self._connection, self._path, "BEGIN"):
            return journal.rollbacks(self._connection, limit)

    def deliveries(self, incident: str | None = None, limit: int = 200) -> tuple[Delivery, ...]:
        """Outbox rows with their state, newest first."""
        with translated(self._path):
            return outbox.deliveries(self._connection, incident, limit)

    def audit_lines(self, limit: int = 200) -> tuple[AuditLine, ...]:
        """Lines of the audit, newest first."""
        with translated(self._path):
            return audit.lines(self._connection, limit)

    def audit_verdict(self) -> tuple[AuditHead, AuditFault | None]:
        """The newest line, and the first at which the chain does not hold; None where it holds."""
        with transaction(self._connection, self._path, "BEGIN"):
            return audit.head(self._connection), audit.verify(self._connection)

    def audit_holds(self, digest: str) -> bool:
        """Whether a line of the audit has this hash."""
        with translated(self._path):
            return audit.holds(self._connection, digest)

    def transitions(self, limit: int = 500) -> tuple[Transition, ...]:
        """What happened, newest first."""
        with translated(self._path):
            return outcomes.transitions(self._connection, limit)


@contextlib.contextmanager
def open_inbox(path: str | os.PathLike[str], *, busy_timeout: Duration = 5 * SECOND) -> Iterator[InboxWriter]:
    """The inbox of the state at ``path``, beside a running agent or without one.

    Raises StoreUnavailable where there is no such state, and StoreError where it is not of this version.
    """
    name = os.fspath(path)
    if not Path(name).is_file():
        raise StoreUnavailable(f"there is no state at {name}: start the agent with `figwatch run` first")
    connection = connect(name, busy_timeout, create=False)
    try:
        with translated(name):
            version = schema.read_version(connection, name)
        if version != schema.VERSION:
            raise StoreError(f"{name} has an older schema: start this version's agent once with `figwatch run`")
        yield InboxWriter(connection, name)
    finally:
        connection.close()
