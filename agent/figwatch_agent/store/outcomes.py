"""Outcomes into the tables, and the state they left out of them."""

import sqlite3
from operator import itemgetter
from typing import Final

from figwatch_agent.durations import Instant
from figwatch_agent.errors import StoreError
from figwatch_agent.model.incident import Incident
from figwatch_agent.model.ledger import moved
from figwatch_agent.model.outcome import LedgerAside, LedgerEntry, Outcome, RingRow, Saved, Transition
from figwatch_agent.store import audit, events, inbox, journal, outbox
from figwatch_agent.store.values import from_text, to_text

CLOSED_INCIDENTS_LOADED = 1000
"""How many closed incidents come back at start; older ones stay in the file."""

_CELL: Final = "interval, slo, route, side, incident, exclusion, bad, total"
_PUT: Final = (
    f"INSERT INTO ledger ({_CELL}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "  # noqa: S608 (a constant)
    "ON CONFLICT (interval, slo, route, side, incident, exclusion) DO UPDATE SET "
)
_SET: Final = _PUT + "bad = excluded.bad, total = excluded.total"
_ADD: Final = _PUT + "bad = bad + excluded.bad, total = total + excluded.total"


def is_next(last: int, sequence: int) -> bool:
    """Whether an Outcome is the next one; False where it is the last one again.

    Raises StoreError for any other number: an Outcome was lost, or two agents count in one state.
    """
    if sequence < 1 or sequence not in (last, last + 1):
        raise StoreError(
            f"outcome {sequence} cannot follow outcome {last}: the state and the agent have parted; restart the agent"
        )
    return sequence == last + 1


def commit(connection: sqlite3.Connection, outcome: Outcome) -> None:
    """All of an Outcome, within the caller's transaction."""
    (last,) = connection.execute("SELECT sequence FROM progress").fetchone()
    if not is_next(last, outcome.sequence):
        return
    _put_transitions(connection, outcome.transitions)
    _put_incidents(connection, outcome.incidents)
    for row in outcome.outbox:
        outbox.add(connection, row, outcome.at)
    for intent in outcome.intents:
        journal.add(connection, intent)
    _put_counts(connection, outcome)
    events.add(connection, outcome.events)
    events.set_baselines(connection, outcome.baselines)
    inbox.consume(connection, outcome.commands, outcome.effects)
    connection.execute("UPDATE progress SET sequence = ?, at = ?", (outcome.sequence, outcome.at))


def load(connection: sqlite3.Connection) -> Saved:
    """The state as of the last committed Outcome."""
    sequence, at = connection.execute("SELECT sequence, at FROM progress").fetchone()
    return Saved(
        sequence=sequence,
        at=at,
        sections=tuple(connection.execute("SELECT name, data FROM section ORDER BY name")),
        ring_rows=_ring_rows(connection),
        ledger=_current_ledger(connection),
        incidents=incidents(connection),
        events=events.load(connection),
        baselines=events.baselines(connection),
    )


def transitions(connection: sqlite3.Connection, limit: int) -> tuple[Transition, ...]:
    """What happened, newest first."""
    found = connection.execute("SELECT value FROM transition ORDER BY position DESC LIMIT ?", (limit,))
    return tuple(from_text(Transition, value) for (value,) in found)


def ledger(connection: sqlite3.Connection, slo: str | None) -> tuple[LedgerEntry, ...]:
    """The budget ledger, oldest first."""
    found = connection.execute(
        f"""SELECT {_CELL} FROM ledger WHERE :slo IS NULL OR slo = :slo
            ORDER BY interval, slo, route, side, incident, exclusion""",  # noqa: S608 (a constant)
        {"slo": slo},
    )
    return tuple(_ledger_entry(columns) for columns in found)


def prune(connection: sqlite3.Connection, before: Instant) -> None:
    """Forget what ended before an instant. Ledger, rollbacks and everything unfinished stay."""
    connection.execute("DELETE FROM transition WHERE at < ?", (before,))
    connection.execute(
        "DELETE FROM outbox WHERE created_at < ? AND state IN ('accepted', 'unconfirmed', 'dead')", (before,)
    )
    connection.execute("DELETE FROM incident WHERE resolved_at < ?", (before,))
    events.prune(connection, before)
    connection.execute("DELETE FROM command WHERE consumed = 1 AND at < ?", (before,))
    connection.execute("DELETE FROM effect WHERE consumed = 1 AND at < ?", (before,))
    connection.execute(
        """DELETE FROM redirect WHERE incident NOT IN (SELECT id FROM incident)
            AND incident NOT IN (SELECT incident FROM outbox)"""
    )
    connection.execute(
        """DELETE FROM message WHERE incident NOT IN (SELECT id FROM incident)
            AND incident NOT IN (SELECT incident FROM outbox)"""
    )
    audit.prune(connection, before)


def _put_transitions(connection: sqlite3.Connection, happened: tuple[Transition, ...]) -> None:
    connection.executemany(
        "INSERT INTO transition (at, value) VALUES (?, ?)", [(each.at, to_text(each)) for each in happened]
    )


def _put_incidents(connection: sqlite3.Connection, changed: tuple[Incident, ...]) -> None:
    connection.executemany(
        """INSERT INTO incident (id, resolved_at, value) VALUES (?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET resolved_at = excluded.resolved_at, value = excluded.value""",
        [(each.id, each.resolved_at, to_text(each)) for each in changed],
    )


def _put_counts(connection: sqlite3.Connection, outcome: Outcome) -> None:
    connection.executemany(_SET, [_cell(entry) for entry in outcome.ledger])
    connection.executemany(_ADD, [_cell(entry) for entry in outcome.ledger_late])
    for aside in outcome.ledger_aside:
        connection.executemany(_ADD, [_cell(entry) for entry in moved(_spent(connection, aside), aside)])
    connection.executemany(
        """INSERT INTO ring_row (ring, level, slot, boundary, data) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (ring, level, slot) DO UPDATE SET boundary = excluded.boundary, data = excluded.data""",
        [(row.ring, row.level, row.slot, row.boundary, row.data) for row in outcome.ring_rows],
    )
    connection.executemany(
        "INSERT INTO section (name, data) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET data = excluded.data",
        outcome.sections,
    )


def _cell(entry: LedgerEntry) -> tuple[int, str, str, str, str, str, int, int]:
    names = entry.slo, entry.route, entry.side, entry.incident, entry.exclusion
    return (entry.interval, *names, entry.bad, entry.total)


def _spent(connection: sqlite3.Connection, aside: LedgerAside) -> list[LedgerEntry]:
    found = connection.execute(
        f"""SELECT {_CELL} FROM ledger
            WHERE interval >= ? AND interval < ? AND slo = ? AND route = ? AND exclusion = ''""",  # noqa: S608 (a constant)
        (aside.start, aside.end, aside.slo, aside.route),
    )
    return [_ledger_entry(columns) for columns in found]


def _ring_rows(connection: sqlite3.Connection) -> tuple[RingRow, ...]:
    # Sorted here: the database would go through the table by its index, or sort the counts along.
    found = connection.execute("SELECT ring, level, slot, boundary, data FROM ring_row").fetchall()
    found.sort(key=itemgetter(0, 1, 2))
    return tuple(
        RingRow(ring=ring, level=level, slot=slot, boundary=boundary, data=data)
        for ring, level, slot, boundary, data in found
    )


def _current_ledger(connection: sqlite3.Connection) -> tuple[LedgerEntry, ...]:
    found = connection.execute(
        f"""SELECT {_CELL} FROM ledger WHERE interval = (SELECT max(interval) FROM ledger)
            ORDER BY slo, route, side, incident, exclusion"""  # noqa: S608 (a constant)
    )
    return tuple(_ledger_entry(columns) for columns in found)


def _ledger_entry(columns: tuple[int, str, str, str, str, str, int, int]) -> LedgerEntry:
    interval, slo, route, side, incident, exclusion, bad, total = columns
    return LedgerEntry(
        interval=interval,
        slo=slo,
        route=route,
        side=side,
        incident=incident,
        exclusion=exclusion,
        bad=bad,
        total=total,
    )


def incidents(connection: sqlite3.Connection) -> tuple[Incident, ...]:
    """Open ones in the order they were opened, then the newest closed."""
    opened = connection.execute("SELECT value FROM incident WHERE resolved_at IS NULL ORDER BY position").fetchall()
    closed = connection.execute(
        """SELECT value FROM incident WHERE resolved_at IS NOT NULL
            ORDER BY resolved_at DESC, position DESC LIMIT ?""",
        (CLOSED_INCIDENTS_LOADED,),
    ).fetchall()
    return tuple(from_text(Incident, value) for (value,) in opened + closed)
