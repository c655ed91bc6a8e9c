"""Which files the store takes, and how it brings them up."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from figwatch_agent.engine import Engine
from figwatch_agent.errors import StoreError, StoreTooNew, StoreUnavailable
from figwatch_agent.model.outcome import Outcome
from figwatch_agent.model.wire import encode
from figwatch_agent.store import schema
from figwatch_agent.store.lock import StateLock
from figwatch_agent.store.sqlite import SqliteStore
from support.earlier_state import earlier
from support.engine import Memory, compact
from support.stores import a_full_outcome, everything
from support.world import World


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file in a folder of its own."""
    return tmp_path / "figwatch.db"


def execute(path: Path, *statements: str) -> list[tuple[object, ...]]:
    """What the last statement gives, on a connection of another program."""
    with closing(sqlite3.connect(path)) as connection, connection:
        found: list[tuple[object, ...]] = []
        for statement in statements:
            found = connection.execute(statement).fetchall()
        return found


def read(path: Path) -> bytes:
    """The file as it is."""
    return path.read_bytes()


def write(path: Path, content: bytes) -> None:
    """A file made by something else."""
    path.write_bytes(content)


async def open_and_close(path: Path) -> None:
    """One run of an agent that does nothing."""
    store = SqliteStore(path)
    await store.open()
    await store.close()


async def test_a_new_file_gets_the_schema_and_its_version(path: Path) -> None:
    await open_and_close(path)
    assert execute(path, "PRAGMA user_version") == [(schema.VERSION,)]
    assert execute(path, "PRAGMA journal_mode") == [("wal",)]


async def test_an_empty_file_is_a_new_file(path: Path) -> None:
    write(path, b"")
    await open_and_close(path)
    assert execute(path, "PRAGMA user_version") == [(schema.VERSION,)]


async def test_a_state_of_a_newer_figwatch_is_refused_and_left_alone(path: Path) -> None:
    await open_and_close(path)
    execute(path, "PRAGMA user_version = 99")
    before = read(path)
    with pytest.raises(StoreTooNew, match=f"has schema version 99, this figwatch knows {schema.VERSION}: upgrade"):
        await SqliteStore(path).open()
    assert read(path) == before


@pytest.mark.parametrize("statement", ["CREATE TABLE theirs (a)", "PRAGMA user_version = 1"])
async def test_a_database_of_another_program_is_refused_and_left_alone(path: Path, statement: str) -> None:
    execute(path, statement)
    before = read(path)
    with pytest.raises(StoreError, match="is a database of another program"):
        await SqliteStore(path).open()
    assert read(path) == before


async def test_a_file_that_is_no_database_is_unavailable(path: Path) -> None:
    write(path, b"not a database, and long enough to be taken for one" * 100)
    with pytest.raises(StoreUnavailable, match=r"figwatch\.db: file is not a database"):
        await SqliteStore(path).open()


async def test_a_refused_file_is_not_kept_locked(path: Path) -> None:
    execute(path, "CREATE TABLE theirs (a)")
    with pytest.raises(StoreError):
        await SqliteStore(path).open()
    lock = StateLock(str(path))
    lock.acquire()
    lock.release()


async def test_an_older_state_is_brought_up_and_keeps_what_it_has(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SqliteStore(path)
    await store.open()
    await store.commit(a_full_outcome())
    before = await everything(store)
    await store.close()
    pretend(monkeypatch, "CREATE TABLE extra (a)")
    await store.open()
    assert await everything(store) == before
    await store.close()
    assert execute(path, "SELECT count(*) FROM extra") == [(0,)]
    assert execute(path, "PRAGMA user_version") == [(schema.VERSION,)]


async def test_a_state_of_the_first_version_is_brought_up_and_learns_message_ids(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:1])
        patch.setattr(schema, "VERSION", 1)
        await open_and_close(path)
    assert execute(path, "PRAGMA user_version") == [(1,)]
    await open_and_close(path)
    assert execute(path, "PRAGMA user_version") == [(schema.VERSION,)]
    assert execute(path, "SELECT count(*) FROM message") == [(0,)]


async def test_a_state_whose_sections_are_json_is_brought_up_and_goes_on(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, memory = World((compact(),)), Memory()
    world.both(20, service_bad=3)
    for outcome in world.outcomes:
        memory.commit(outcome)
    old = earlier(memory.saved())
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:5])
        patch.setattr(schema, "VERSION", 5)
        store = SqliteStore(path)
        await store.open()
        await store.commit(Outcome(sequence=1, at=world.now, sections=old.sections, ring_rows=old.ring_rows))
        await store.close()
    await store.open()
    saved = await store.load()
    await store.close()
    assert execute(path, "PRAGMA user_version") == [(schema.VERSION,)]
    again = Engine(world.services, world.settings, saved).view(world.now).streams
    assert encode(again) == encode(memory.engine(world.services, world.settings).view(world.now).streams)


async def test_a_migration_that_fails_half_way_leaves_the_state_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_and_close(path)
    version = schema.VERSION
    with monkeypatch.context() as patch:
        pretend(patch, "CREATE TABLE extra (a)", "CREATE TABLE extra (a)")
        with pytest.raises(StoreUnavailable, match="extra already exists"):
            await SqliteStore(path).open()
    assert execute(path, "PRAGMA user_version") == [(version,)]
    assert execute(path, "SELECT count(*) FROM sqlite_schema WHERE name = 'extra'") == [(0,)]
    await open_and_close(path)


def pretend(patch: pytest.MonkeyPatch, *statements: str) -> None:
    """A figwatch with one migration more."""
    patch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, statements))
    patch.setattr(schema, "VERSION", schema.VERSION + 1)
