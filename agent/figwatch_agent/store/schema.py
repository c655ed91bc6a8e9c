"""The tables, as numbered migrations. Whole values are canonical JSON beside the few columns that are queried."""

import sqlite3
from typing import Final

from figwatch_agent.errors import StoreError, StoreTooNew
from figwatch_agent.model.audit import GENESIS

APPLICATION_ID: Final = 0x66696777
"""The ASCII letters "figw": tells our files from other programs' databases."""

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        "CREATE TABLE progress (one INTEGER PRIMARY KEY CHECK (one = 1), sequence INTEGER NOT NULL, at INTEGER)",
        "INSERT INTO progress (one, sequence, at) VALUES (1, 0, NULL)",
        "CREATE TABLE section (name TEXT PRIMARY KEY, data BLOB NOT NULL)",
        """CREATE TABLE ring_row (
            ring TEXT NOT NULL, level INTEGER NOT NULL, slot INTEGER NOT NULL, boundary INTEGER NOT NULL,
            data BLOB NOT NULL, PRIMARY KEY (ring, level, slot))""",
        """CREATE TABLE ledger (
            interval INTEGER NOT NULL, slo TEXT NOT NULL, route TEXT NOT NULL, side TEXT NOT NULL,
            incident TEXT NOT NULL, bad INTEGER NOT NULL, total INTEGER NOT NULL,
            PRIMARY KEY (interval, slo, route, side, incident)) WITHOUT ROWID""",
        """CREATE TABLE incident (
            position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, resolved_at INTEGER, value TEXT NOT NULL)""",
        "CREATE INDEX incident_resolved ON incident (resolved_at, position)",
        "CREATE TABLE transition (position INTEGER PRIMARY KEY, at INTEGER NOT NULL, value TEXT NOT NULL)",
        """CREATE TABLE outbox (
            position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, incident TEXT NOT NULL,
            receiver TEXT NOT NULL, original_receiver TEXT NOT NULL, state TEXT NOT NULL,
            attempts INTEGER NOT NULL, created_at INTEGER NOT NULL, next_at INTEGER NOT NULL,
            reason TEXT NOT NULL, ambiguous INTEGER NOT NULL, value TEXT NOT NULL)""",
        """CREATE INDEX outbox_unfinished ON outbox (receiver, incident, position)
            WHERE state IN ('pending', 'sending')""",
        "CREATE INDEX outbox_incident ON outbox (incident, position)",
        """CREATE TABLE redirect (
            incident TEXT NOT NULL, receiver TEXT NOT NULL, fallback TEXT NOT NULL,
            PRIMARY KEY (incident, receiver))""",
        """CREATE TABLE rollback (
            position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, incident TEXT NOT NULL UNIQUE,
            state TEXT NOT NULL, value TEXT NOT NULL)""",
        """CREATE TABLE step (
            position INTEGER PRIMARY KEY, rollback TEXT NOT NULL REFERENCES rollback (id), value TEXT NOT NULL)""",
        "CREATE INDEX step_rollback ON step (rollback, position)",
        """CREATE TABLE command (
            position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, consumed INTEGER NOT NULL,
            value TEXT NOT NULL)""",
        "CREATE INDEX command_waiting ON command (position) WHERE consumed = 0",
        """CREATE TABLE effect (
            position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, consumed INTEGER NOT NULL,
            kind TEXT NOT NULL, value TEXT NOT NULL)""",
        "CREATE INDEX effect_waiting ON effect (position) WHERE consumed = 0",
    ),
    (
        # What a receiver calls the message that stands for a group of pages: updates go under it.
        """CREATE TABLE message (
            incident TEXT NOT NULL, receiver TEXT NOT NULL, page_group TEXT NOT NULL, message_id TEXT NOT NULL,
            PRIMARY KEY (incident, receiver, page_group)) WITHOUT ROWID""",
    ),
    (
        # Who did what: each line names the hash of the one before. The head tells that the newest were not cut off.
        """CREATE TABLE audit (
            sequence INTEGER PRIMARY KEY, at INTEGER NOT NULL, value TEXT NOT NULL, previous TEXT NOT NULL,
            hash TEXT NOT NULL)""",
        "CREATE TABLE audit_head (one INTEGER PRIMARY KEY CHECK (one = 1), sequence INTEGER NOT NULL, hash TEXT)",
        f"INSERT INTO audit_head (one, sequence, hash) VALUES (1, 0, '{GENESIS}')",  # noqa: S608 (a constant)
    ),
    (
        # What was told (deployments, samples, figures) by its key, and what criteria are compared with.
        """CREATE TABLE event (
            key TEXT PRIMARY KEY, kind TEXT NOT NULL, at INTEGER NOT NULL, value TEXT NOT NULL) WITHOUT ROWID""",
        "CREATE INDEX event_at ON event (at, key)",
        "CREATE TABLE baseline (criterion TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    ),
    (
        # What is set aside stands in cells of its own: they sum to the whole with those that are spent.
        "ALTER TABLE ledger RENAME TO ledger_before",
        """CREATE TABLE ledger (
            interval INTEGER NOT NULL, slo TEXT NOT NULL, route TEXT NOT NULL, side TEXT NOT NULL,
            incident TEXT NOT NULL, exclusion TEXT NOT NULL, bad INTEGER NOT NULL, total INTEGER NOT NULL,
            PRIMARY KEY (interval, slo, route, side, incident, exclusion)) WITHOUT ROWID""",
        """INSERT INTO ledger (interval, slo, route, side, incident, exclusion, bad, total)
            SELECT interval, slo, route, side, incident, '', bad, total FROM ledger_before""",
        "DROP TABLE ledger_before",
    ),
    # The engine packs sections and rows of rings, and reads those in JSON as well. An older figwatch reads JSON alone.
    (),
)

VERSION: Final = len(MIGRATIONS)
"""The schema version this figwatch writes."""


def bring_up(connection: sqlite3.Connection, path: str) -> None:
    """Make the tables or bring them up to date, within the caller's transaction.

    Raises StoreTooNew where a newer figwatch wrote the file, and StoreError where another program did.
    """
    version = read_version(connection, path)
    if version == VERSION:
        return
    for number, statements in enumerate(MIGRATIONS[version:], start=version + 1):
        for statement in statements:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {number:d}")
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID:d}")


def read_version(connection: sqlite3.Connection, path: str) -> int:
    """The schema version of the file; 0 for an empty one. Raises as ``bring_up`` does."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if application != APPLICATION_ID and (tables or version):
        raise StoreError(f"{path} is a database of another program; name another file as state.sqlite")
    if version > VERSION:
        raise StoreTooNew(
            f"{path} has schema version {version}, this figwatch knows {VERSION}: "
            "upgrade figwatch, or start with a new state file"
        )
    return int(version)
