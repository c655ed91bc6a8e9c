"""Locked, full, gone: nothing is half-written, the error says so, and it works again when the world does."""

import asyncio
import os
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from figwatch_agent.errors import StoreError, StoreUnavailable
from figwatch_agent.model.outcome import Outcome
from figwatch_agent.store.sqlite import SqliteStore
from support.model_values import NOON, a_command, a_transition
from support.parts import not_here
from support.stores import a_full_outcome, everything, fill_inbox

SHORT = 50
"""Milliseconds to wait for another writer: long enough to be a wait, short enough for a test."""

MEGABYTE = 1024 * 1024


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """A store with one Outcome and the inbox of the next, that does not wait long."""
    made = SqliteStore(tmp_path / "figwatch.db", busy_timeout=SHORT)
    await made.open()
    await fill_inbox(made, 1)
    await made.commit(a_full_outcome(1))
    await fill_inbox(made, 2)
    yield made
    await made.close()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """While another process writes."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


async def pragma(store: SqliteStore, statement: str) -> None:
    """Set something on the store's own connection, which no caller can."""
    await store._connection.read(lambda connection: connection.execute(statement).fetchall())


async def refused(store: SqliteStore, outcome: Outcome, match: str) -> None:
    """The Outcome is refused, and nothing of it is there."""
    before = await everything(store)
    with pytest.raises(StoreUnavailable, match=match):
        await store.commit(outcome)
    assert await everything(store) == before


async def test_while_another_process_writes_a_commit_is_refused_and_passes_later(
    store: SqliteStore, tmp_path: Path
) -> None:
    with locked(tmp_path / "figwatch.db"):
        await refused(store, a_full_outcome(2), r"figwatch\.db: database is locked")
    await store.commit(a_full_outcome(2))
    assert (await store.load()).sequence == 2


async def test_a_store_that_another_process_holds_is_not_opened_and_its_lock_is_let_go(tmp_path: Path) -> None:
    path = tmp_path / "figwatch.db"
    store = SqliteStore(path, busy_timeout=SHORT)
    await store.open()
    await store.close()
    with locked(path), pytest.raises(StoreUnavailable, match="locked"):
        await store.open()
    await store.open()
    await store.close()


async def test_waiting_for_another_writer_does_not_hold_up_the_event_loop(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "figwatch.db", busy_timeout=30_000)
    await store.open()
    with locked(tmp_path / "figwatch.db"):
        waiting = asyncio.create_task(store.put(a_command()))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not waiting.done()
    await waiting
    await store.close()


async def test_a_caller_that_is_cancelled_may_offer_the_same_outcome_again(store: SqliteStore) -> None:
    first = asyncio.create_task(store.commit(a_full_outcome(2)))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    await store.commit(a_full_outcome(2))
    assert len(await store.transitions()) == 4


async def test_on_a_full_disk_nothing_of_an_outcome_is_written_and_it_passes_when_there_is_room(
    store: SqliteStore,
) -> None:
    await pragma(store, "PRAGMA max_page_count = 1")  # SQLite takes the present size where this is less
    big = replace(a_full_outcome(2), sections=(("big", bytes(MEGABYTE)),))
    await refused(store, big, "full")
    await pragma(store, "PRAGMA max_page_count = 1000000")
    await store.commit(big)
    assert dict((await store.load()).sections)["big"] == bytes(MEGABYTE)


async def test_a_disk_that_takes_no_writes_is_unavailable(store: SqliteStore) -> None:
    await pragma(store, "PRAGMA query_only = ON")
    await refused(store, a_full_outcome(2), "readonly")


async def test_a_deleted_file_takes_no_outcome_until_it_is_back(store: SqliteStore, tmp_path: Path) -> None:
    (tmp_path / "figwatch.db").rename(tmp_path / "elsewhere")
    await refused(store, a_full_outcome(2), "was deleted or replaced")
    (tmp_path / "figwatch.db").touch()
    await refused(store, a_full_outcome(2), "was deleted or replaced")
    (tmp_path / "elsewhere").rename(tmp_path / "figwatch.db")
    await store.commit(a_full_outcome(2))


async def test_a_store_that_is_not_open_says_so(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "figwatch.db")
    with pytest.raises(StoreError, match="is not open"):
        await store.load()
    await store.close()


async def test_text_that_no_file_can_hold_is_refused_and_nothing_else_is(store: SqliteStore) -> None:
    before = await everything(store)
    with pytest.raises(StoreError, match="not Unicode"):
        await store.put(replace(a_command("odd"), why="\ud800"))
    assert await everything(store) == before


async def test_a_value_that_cannot_be_read_is_named(store: SqliteStore) -> None:
    spoil = "UPDATE transition SET value = '{}'"
    await store._connection.write(lambda connection: connection.execute(spoil).rowcount)
    with pytest.raises(StoreError, match="a stored Transition cannot be read"):
        await store.transitions()


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """A disk of three megabytes, where this machine lets us mount one."""
    folder.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)],  # noqa: S607 (wherever mount is)
        capture_output=True,
        text=True,
        check=False,
    )
    if mount.returncode != 0:
        not_here(f"a small disk ({mount.stderr.strip() or 'mount failed'})")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)  # noqa: S607 (wherever umount is)


async def test_a_disk_that_is_really_full_loses_nothing_and_takes_writes_when_there_is_room(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        not_here("a small disk (only root mounts one)")
    with small_disk(tmp_path / "disk"):
        ballast = tmp_path / "disk" / "ballast"
        ballast.write_bytes(bytes(MEGABYTE))
        store = SqliteStore(tmp_path / "disk" / "figwatch.db")
        await store.open()
        committed = await fill(store)
        assert (await store.load()).sequence == committed
        assert len(await store.transitions()) == committed
        ballast.unlink()
        await store.commit(filler(committed + 1))
        assert (await store.load()).sections[-1] == filler(committed + 1).sections[0]
        await store.close()


def filler(sequence: int) -> Outcome:
    """An Outcome that takes 64 kB of its own."""
    return Outcome(
        sequence=sequence,
        at=NOON,
        transitions=(a_transition(),),
        sections=((f"section-{sequence:04}", bytes([sequence % 256]) * 65536),),
    )


async def fill(store: SqliteStore) -> int:
    """How many Outcomes went in before the disk was full."""
    for sequence in range(1, 1000):
        try:
            await store.commit(filler(sequence))
        except StoreUnavailable:
            return sequence - 1
    raise AssertionError("a disk of three megabytes took more than sixty")
