"""What receivers call their messages: one id for each receiver and group of pages, kept with the row it came with."""

import sqlite3

from figwatch_agent.model.journal import Topic
from figwatch_agent.model.page import OutboxRow
from figwatch_agent.store.values import from_text

Key = tuple[str, str, str]
"""Incident, receiver, group of pages."""


def key(row: OutboxRow) -> Key:
    """Which messages belong together: those of one group at one receiver."""
    return row.incident, row.receiver, row.page.group


def put(connection: sqlite3.Connection, row: str, message_id: str) -> None:
    """The receiver took this row and calls the message so. A later id replaces an earlier one."""
    incident, receiver, value = connection.execute(
        "SELECT incident, receiver, value FROM outbox WHERE id = ?", (row,)
    ).fetchone()
    connection.execute(
        """INSERT INTO message (incident, receiver, page_group, message_id) VALUES (?, ?, ?, ?)
            ON CONFLICT (incident, receiver, page_group) DO UPDATE SET message_id = excluded.message_id""",
        (incident, receiver, from_text(OutboxRow, value).page.group, message_id),
    )


def of_row(connection: sqlite3.Connection, row: OutboxRow) -> str:
    """The id under which the receiver knows the row's group already; empty where it knows none."""
    found = connection.execute(
        "SELECT message_id FROM message WHERE incident = ? AND receiver = ? AND page_group = ?", key(row)
    ).fetchone()
    return "" if found is None else str(found[0])


def topics(connection: sqlite3.Connection, receiver: str) -> tuple[Topic, ...]:
    """Every group that this receiver has given an id, by incident and group."""
    found = connection.execute(
        "SELECT incident, page_group, message_id FROM message WHERE receiver = ? ORDER BY incident, page_group",
        (receiver,),
    )
    return tuple(Topic(incident=about, group=group, message_id=message_id) for about, group, message_id in found)


def known(connection: sqlite3.Connection, incident: str | None) -> dict[Key, str]:
    """Every id, or those of one incident."""
    found = connection.execute(
        """SELECT incident, receiver, page_group, message_id FROM message
            WHERE :incident IS NULL OR incident = :incident""",
        {"incident": incident},
    )
    return {(about, receiver, group): message_id for about, receiver, group, message_id in found}
