"""kill -9, or a lost power supply, at any point: an operation is there whole or not at all."""

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from figwatch_agent.store.memory import MemoryStore
from figwatch_agent.store.sqlite import SqliteStore
from support import store_crash
from support.folders import quick_folder
from support.store_crash import OPERATIONS, prepare
from support.stores import a_full_outcome, everything

FEWEST_STATEMENTS = 3
"""BEGIN, one write, COMMIT."""

FRAME = 24 + 4096
"""Header and page of one entry of SQLite's write-ahead log; the log's own header has 32 bytes."""


async def before_and_after(operation: str) -> tuple[tuple[object, ...], tuple[object, ...]]:
    """What the twin holds before and after an operation."""
    twin = MemoryStore()
    await prepare(twin)
    before = await everything(twin)
    await OPERATIONS[operation](twin)
    return before, await everything(twin)


async def content(file: Path) -> tuple[object, ...]:
    """What a restarted agent finds."""
    store = SqliteStore(file)
    await store.open()
    try:
        return await everything(store)
    finally:
        await store.close()


async def make_base(file: Path) -> None:
    """A state that an agent has closed."""
    file.parent.mkdir()
    store = SqliteStore(file)
    await store.open()
    await prepare(store)
    await store.close()


def kill_at_every_statement(folder: Path, operation: str) -> int:
    """How many statements the operation has; FOLDER/n is what the kill at the n-th left behind."""
    done = subprocess.run(
        [sys.executable, store_crash.__file__, str(folder), operation],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_a_kill_at_any_statement_leaves_the_operation_whole_or_not_at_all(operation: str) -> None:
    before, after = await before_and_after(operation)
    assert before != after
    with quick_folder() as folder:
        await make_base(folder / "base" / "figwatch.db")
        statements = await asyncio.to_thread(kill_at_every_statement, folder, operation)
        assert statements >= FEWEST_STATEMENTS
        for statement in range(1, statements + 1):
            assert await content(folder / str(statement) / "figwatch.db") == before, f"killed at {statement}"
        assert await content(folder / str(statements + 1) / "figwatch.db") == after


async def test_after_a_kill_the_same_outcome_is_taken_once_more_and_once_only() -> None:
    _, after = await before_and_after("commit")
    with quick_folder() as folder:
        await make_base(folder / "base" / "figwatch.db")
        statements = await asyncio.to_thread(kill_at_every_statement, folder, "commit")
        for survivor in (statements, statements + 1):  # killed at COMMIT, and right after it
            file = folder / str(survivor) / "figwatch.db"
            store = SqliteStore(file)
            await store.open()
            await store.commit(a_full_outcome(2))
            await store.close()
            assert await content(file) == after


async def test_a_log_torn_anywhere_gives_the_state_before_and_a_whole_log_the_state_after() -> None:
    before, after = await before_and_after("commit")
    with quick_folder() as folder:
        await make_base(folder / "base" / "figwatch.db")
        log = await log_of_a_commit(folder / "base" / "figwatch.db", folder / "grown")
        assert (len(log) - 32) % FRAME == 0
        for number, length in enumerate(cuts(len(log))):
            torn = folder / f"torn-{number}"
            shutil.copytree(folder / "base", torn)
            (torn / "figwatch.db-wal").write_bytes(log[:length])
            assert await content(torn / "figwatch.db") == (after if length == len(log) else before), length


async def log_of_a_commit(base: Path, grown: Path) -> bytes:
    """The write-ahead log that one commit adds to a closed state."""
    shutil.copytree(base.parent, grown)
    store = SqliteStore(grown / "figwatch.db")
    await store.open()
    opened = len(log_of(grown))
    await OPERATIONS["commit"](store)
    log = log_of(grown)
    await store.close()
    assert opened == 0, "opening an up-to-date state writes nothing"
    return log


def log_of(folder: Path) -> bytes:
    """The write-ahead log as it is now."""
    return (folder / "figwatch.db-wal").read_bytes()


def cuts(length: int) -> list[int]:
    """Lengths at, right after and in the middle of every frame's end."""
    ends = range(32, length + 1, FRAME)
    return sorted({0, 16, *(cut for end in ends for cut in (end, end + 12, end + 24, end + 2000) if cut <= length)})
