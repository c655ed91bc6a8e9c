"""One SQLite connection on a thread of its own, so that a slow disk never holds up the event loop."""

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal, TypeVar

from figwatch_agent.durations import SECOND, Duration
from figwatch_agent.errors import StoreError, StoreUnavailable
from figwatch_agent.store.schema import read_version

T = TypeVar("T")

_PRAGMAS = (
    "PRAGMA synchronous = FULL",  # a commit is on the disk when it returns
    "PRAGMA foreign_keys = ON",
    "PRAGMA journal_size_limit = 67108864",  # a log that one big transaction blew up shrinks again
)


@contextlib.contextmanager
def translated(path: str) -> Iterator[None]:
    """SQLite's complaints about the world (locked, full, gone, damaged) as StoreUnavailable.

    Its complaints about the program (IntegrityError, ProgrammingError) pass through: they are bugs.
    """
    try:
        yield
    except sqlite3.DatabaseError as error:
        if not isinstance(error, sqlite3.OperationalError) and type(error) is not sqlite3.DatabaseError:
            raise
        raise StoreUnavailable(f"{path}: {error}; check the disk and who else has the file open") from error


@contextlib.contextmanager
def transaction(
    connection: sqlite3.Connection, path: str, begin: Literal["BEGIN", "BEGIN IMMEDIATE"] = "BEGIN IMMEDIATE"
) -> Iterator[None]:
    """All of the block or nothing of it. A writer says IMMEDIATE, so that it waits its turn before it has read."""
    with translated(path):
        connection.execute(begin)
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            # SQLite has rolled back by itself after some errors, such as a full disk.
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def connect(path: str, busy_timeout: Duration, *, create: bool) -> sqlite3.Connection:
    """A connection in WAL mode, every commit synced. Waits ``busy_timeout`` for other writers.

    Raises StoreUnavailable where the file cannot be opened, and as ``read_version`` does.
    """
    uri = f"{Path(path).absolute().as_uri()}?mode={'rwc' if create else 'rw'}"
    with translated(path):
        connection = sqlite3.connect(uri, uri=True, timeout=busy_timeout / SECOND, isolation_level=None)
        try:
            read_version(connection, path)  # before anything is changed: the file may be another program's
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
            if mode != "wal":
                raise StoreUnavailable(
                    f"{path}: no write-ahead log here ({mode}): put the state on a local file system"
                )
            for pragma in _PRAGMAS:
                connection.execute(pragma)
        except BaseException:
            connection.close()
            raise
        return connection


class Connection:
    """Runs functions of a ``sqlite3.Connection``, one after the other, each in one transaction."""

    def __init__(self, path: str, busy_timeout: Duration) -> None:
        self._path = path
        self._busy_timeout = busy_timeout
        self._thread: ThreadPoolExecutor | None = None
        self._sqlite: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None

    async def open(self, prepare: Callable[[sqlite3.Connection], None]) -> None:
        """Connect, and run ``prepare`` in the first transaction. Holds nothing when it raises."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="figwatch-store")
        try:
            await self._on_thread(self._connect)
            await self.write(prepare)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Let go of the file after what is under way; harmless where nothing is open."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        try:
            await asyncio.get_running_loop().run_in_executor(thread, self._disconnect)
        finally:
            thread.shutdown(wait=False)

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What ``work`` reads, all as of one instant."""

        def job() -> T:
            connection = self._open_connection()
            with transaction(connection, self._path, "BEGIN"):
                return work(connection)

        return await self._on_thread(job)

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Everything ``work`` writes, or nothing of it."""

        def job() -> T:
            connection = self._open_connection()
            self._refuse_to_write_into_the_void()
            with transaction(connection, self._path):
                return work(connection)

        return await self._on_thread(job)

    async def _on_thread(self, job: Callable[[], T]) -> T:
        if self._thread is None:
            raise StoreError(f"{self._path} is not open")
        return await asyncio.get_running_loop().run_in_executor(self._thread, job)

    def _connect(self) -> None:
        self._sqlite = connect(self._path, self._busy_timeout, create=True)
        self._identity = _identity(self._path)

    def _disconnect(self) -> None:
        connection, self._sqlite = self._sqlite, None
        if connection is not None:
            connection.close()

    def _open_connection(self) -> sqlite3.Connection:
        if self._sqlite is None:
            raise StoreError(f"{self._path} is not open")
        return self._sqlite

    def _refuse_to_write_into_the_void(self) -> None:
        # A deleted file goes on taking writes until it is closed, and nobody would ever read them.
        if _identity(self._path) != self._identity:
            raise StoreUnavailable(f"{self._path} was deleted or replaced: put it back, or restart the agent")


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
