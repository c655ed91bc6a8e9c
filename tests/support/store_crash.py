"""Kills a process at every statement of an operation of the SQLite store.

As a program: ``python store_crash.py FOLDER OPERATION`` copies FOLDER/base to FOLDER/1, FOLDER/2, ... and in each runs
the operation in a process of its own that dies by SIGKILL as the n-th statement begins; in the last one it went
through. Prints how many statements there were.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sqlite3
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from figwatch_agent.model.effect import DeliveryState, RollbackState
from figwatch_agent.ports import Store
from figwatch_agent.store.sqlite import SqliteStore
from support.model_values import (
    NOON,
    a_command,
    a_delivery_effect,
    a_rollback_effect,
    a_step_entry,
    an_audit_note,
)
from support.stores import a_full_outcome, fill_inbox


async def prepare(store: Store) -> None:
    """What every operation finds: one Outcome, and the inbox of the next."""
    await fill_inbox(store, 1)
    await store.commit(a_full_outcome(1))
    await fill_inbox(store, 2)


async def _commit(store: Store) -> None:
    await store.commit(a_full_outcome(2))


async def _put(store: Store) -> None:
    await store.put(a_command("new"))


async def _note(store: Store) -> None:
    await store.note(an_audit_note())


async def _prune(store: Store) -> None:
    await store.prune(NOON + 1)


async def _finish(store: Store) -> None:
    effect = a_delivery_effect(state=DeliveryState.DEAD, reason="status_400")
    await store.finish_delivery(effect.row, DeliveryState.DEAD, effect, "mail")


async def _accept(store: Store) -> None:
    effect = a_delivery_effect(state=DeliveryState.ACCEPTED)
    await store.finish_delivery(effect.row, DeliveryState.ACCEPTED, effect, None, "C0123/1.5")


async def _append(store: Store) -> None:
    await store.append_step(a_step_entry())


async def _set(store: Store) -> None:
    effect = a_rollback_effect(RollbackState.DONE)
    await store.set_rollback(effect.rollback, effect.state, effect)


OPERATIONS: Final[dict[str, Callable[[Store], Awaitable[None]]]] = {
    "commit": _commit,
    "put": _put,
    "note": _note,
    "prune": _prune,
    "finish_delivery": _finish,
    "finish_delivery with a message id": _accept,
    "append_step": _append,
    "set_rollback": _set,
}
"""Everything that writes more than one thing, or must be durable when it returns."""


class _Killer:
    """Counts statements once armed, and ends the process as the n-th begins."""

    def __init__(self, statement: int) -> None:
        self._left = statement
        self._armed = threading.Event()

    def arm(self) -> None:
        """Count from here."""
        self._armed.set()

    def __call__(self, statement: str) -> None:
        if self._armed.is_set():
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def _watch(killer: _Killer) -> None:
    connect = sqlite3.connect

    def connect_watched(*arguments: Any, **named: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*arguments, **named)
        connection.set_trace_callback(killer)
        return connection

    sqlite3.connect = connect_watched  # type: ignore[assignment]  # the real one is overloaded


async def _operate(file: Path, operation: str, killer: _Killer) -> None:
    store = SqliteStore(file)
    await store.open()
    killer.arm()
    await OPERATIONS[operation](store)
    os._exit(0)  # as dead as the others: nothing is closed


def _die_at(file: Path, operation: str, statement: int) -> bool:
    """Whether the process was killed before it had done the operation."""
    child = os.fork()
    if child == 0:
        try:
            killer = _Killer(statement)
            _watch(killer)
            asyncio.run(_operate(file, operation, killer))
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    if os.WEXITSTATUS(status):
        raise SystemExit(f"statement {statement} of {operation}: the process failed instead of being killed")
    return False


def main(folder: Path, operation: str) -> None:
    """One process per statement."""
    statement = 1
    while True:
        copy = folder / str(statement)
        shutil.copytree(folder / "base", copy)
        if not _die_at(copy / "figwatch.db", operation, statement):
            break
        statement += 1
    print(statement - 1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
