"""One agent per state."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from figwatch_agent.errors import StoreLocked, StoreUnavailable
from figwatch_agent.store.lock import StateLock
from figwatch_agent.store.sqlite import SqliteStore
from support.model_values import a_command

HOLD = """
import asyncio, sys
from figwatch_agent.store.sqlite import SqliteStore
async def hold():
    await SqliteStore(sys.argv[1]).open()
    print("open", flush=True)
    await asyncio.Event().wait()
asyncio.run(hold())
"""


async def test_a_second_agent_is_refused_with_the_process_id_of_the_first(tmp_path: Path) -> None:
    first, second = (SqliteStore(tmp_path / "figwatch.db") for _ in range(2))
    await first.open()
    with pytest.raises(StoreLocked, match=rf"figwatch\.db is in use by process {os.getpid()}: stop that agent"):
        await second.open()
    await first.put(a_command())
    await first.close()
    await second.open()
    assert (await second.waiting())[0] == (a_command(),)
    await second.close()


async def test_a_killed_agent_lets_go_of_its_state(tmp_path: Path) -> None:
    path = str(tmp_path / "figwatch.db")
    see_it_held_and_kill(path)
    store = SqliteStore(path)
    await store.open()
    await store.close()


def see_it_held_and_kill(path: str) -> None:
    """Another process opens the state, is seen to hold it, and dies."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", HOLD, path]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(StoreLocked, match=f"process {holder.pid}:"):
            StateLock(path).acquire()
        holder.send_signal(signal.SIGKILL)
        holder.wait(timeout=30)


def test_a_symbolic_link_to_the_state_is_the_same_state(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    lock = StateLock(str(tmp_path / "real" / "figwatch.db"))
    lock.acquire()
    with pytest.raises(StoreLocked):
        StateLock(str(tmp_path / "link" / "figwatch.db")).acquire()
    lock.release()


def test_two_states_in_one_folder_do_not_get_into_each_others_way(tmp_path: Path) -> None:
    locks = [StateLock(str(tmp_path / name)) for name in ("a.db", "b.db")]
    for lock in locks:
        lock.acquire()
    for lock in locks:
        lock.release()
        lock.release()


def test_a_lock_file_without_a_number_names_another_process(tmp_path: Path) -> None:
    lock = StateLock(str(tmp_path / "figwatch.db"))
    lock.acquire()
    (tmp_path / "figwatch.db.lock").write_text("")
    with pytest.raises(StoreLocked, match="in use by another process"):
        StateLock(str(tmp_path / "figwatch.db")).acquire()
    lock.release()


async def test_a_folder_that_does_not_exist_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match=r"gone/figwatch\.db\.lock cannot be opened .* must exist"):
        await SqliteStore(tmp_path / "gone" / "figwatch.db").open()
