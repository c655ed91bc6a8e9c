"""The inbox of a running agent, from another process."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
import pytest_asyncio

from figwatch_agent.errors import StoreError, StoreTooNew, StoreUnavailable
from figwatch_agent.model.outcome import Outcome
from figwatch_agent.store.sqlite import SqliteStore
from figwatch_agent.store.writer import open_inbox
from support.model_values import NOON, a_command
from support.stores import a_full_outcome

PUT = """
import sys
from figwatch_agent.store.writer import open_inbox
from support.model_values import a_command
with open_inbox(sys.argv[1]) as inbox:
    inbox.put(a_command("from another process"))
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the agent keeps its state; the name holds what a URI would take for its own."""
    return tmp_path / "fig?watch#1%20.db"


@pytest_asyncio.fixture
async def agent(path: Path) -> AsyncIterator[SqliteStore]:
    """The store of a running agent."""
    made = SqliteStore(path)
    await made.open()
    yield made
    await made.close()


def put_elsewhere(path: Path) -> None:
    """What a person's command line does."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", PUT, str(path)], env=environment, check=True, timeout=60)


async def test_another_process_puts_a_command_while_the_agent_runs(agent: SqliteStore, path: Path) -> None:
    put_elsewhere(path)
    assert (await agent.waiting())[0] == (a_command("from another process"),)


async def test_a_command_is_waiting_until_an_outcome_has_consumed_it(agent: SqliteStore, path: Path) -> None:
    with open_inbox(path) as inbox:
        assert not inbox.is_waiting("command-1")
        inbox.put(a_command("command-1"))
        inbox.put(a_command("command-1"))
        assert inbox.is_waiting("command-1")
        await agent.commit(Outcome(sequence=1, at=NOON, commands=("command-1",)))
        assert not inbox.is_waiting("command-1")
    assert (await agent.waiting())[0] == ()


async def test_what_happened_can_be_read_while_the_agent_runs(agent: SqliteStore, path: Path) -> None:
    await agent.commit(a_full_outcome())
    with open_inbox(path) as inbox:
        assert inbox.transitions() == await agent.transitions()
        assert inbox.deliveries("incident-1", limit=1) == await agent.deliveries("incident-1", limit=1)
        assert inbox.rollbacks() == await agent.rollbacks()
        assert inbox.incidents() == (await agent.load()).incidents


async def test_a_command_can_be_put_while_no_agent_runs(path: Path) -> None:
    store = SqliteStore(path)
    await store.open()
    await store.close()
    with open_inbox(path) as inbox:
        inbox.put(a_command())
    await store.open()
    assert (await store.waiting())[0] == (a_command(),)
    await store.close()


async def test_a_locked_state_takes_no_command_and_says_so(agent: SqliteStore, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other, open_inbox(path, busy_timeout=50) as inbox:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="locked"):
            inbox.put(a_command())
        other.execute("ROLLBACK")
        inbox.put(a_command())


def test_where_there_is_no_state_none_is_made(path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="start the agent"), open_inbox(path):
        pass
    assert not path.exists()


@pytest.mark.parametrize(
    ("statement", "error"), [("PRAGMA user_version = 99", StoreTooNew), ("PRAGMA user_version = 0", StoreError)]
)
async def test_a_state_of_another_version_is_refused(path: Path, statement: str, error: type[StoreError]) -> None:
    store = SqliteStore(path)
    await store.open()
    await store.close()
    with closing(sqlite3.connect(path)) as other:
        other.execute(statement)
    with pytest.raises(error, match="schema"), open_inbox(path):
        pass
