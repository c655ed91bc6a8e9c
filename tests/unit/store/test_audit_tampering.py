"""Hands on the state's file: what `figwatch audit verify` finds."""

import itertools
import os
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from figwatch_agent.errors import StoreError
from figwatch_agent.model.audit import AuditFault
from figwatch_agent.store.sqlite import SqliteStore
from figwatch_agent.store.writer import open_inbox
from support.model_values import NOON, a_command, an_audit_note

PUT_MANY = """
import sys
from figwatch_agent.store.writer import open_inbox
from support.model_values import a_command
for number in range(int(sys.argv[2])):
    with open_inbox(sys.argv[1]) as inbox:
        inbox.put(a_command(f"{sys.argv[3]}-{number}"))
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the agent keeps its state."""
    return tmp_path / "figwatch.db"


async def written(path: Path, lines: int = 5) -> None:
    """A state with two commands and some lines."""
    store = SqliteStore(path)
    await store.open()
    await store.put(a_command("first"))
    await store.put(a_command("second"))
    for number in range(lines - 2):
        await store.note(an_audit_note(NOON + number))
    await store.close()


def tamper(path: Path, *statements: str) -> None:
    """What somebody does who may write to the file."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def started(path: Path, name: str) -> subprocess.Popen[bytes]:
    """Somebody at a command line who asks for 25 things."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen([sys.executable, "-c", PUT_MANY, str(path), "25", name], env=environment)


def fault(path: Path) -> AuditFault | None:
    """What a person is told."""
    with open_inbox(path) as inbox:
        return inbox.audit_verdict()[1]


@pytest.mark.parametrize(
    ("statements", "line", "problem"),
    [
        (["UPDATE audit SET value = replace(value, 'team', 'nobody') WHERE sequence = 4"], 4, "changed after"),
        (["UPDATE audit SET at = at + 1 WHERE sequence = 3"], 3, "time was changed"),
        (["UPDATE audit SET hash = previous WHERE sequence = 2"], 2, "changed after"),
        (["UPDATE audit SET previous = hash WHERE sequence = 2"], 2, "does not follow"),
        (["UPDATE audit SET value = x'00' WHERE sequence = 2"], 2, "changed after"),
        (["DELETE FROM audit WHERE sequence = 3"], 4, "line 3 is missing"),
        (["DELETE FROM audit WHERE sequence <= 2"], 3, "nothing says that they were pruned"),
        (["DELETE FROM audit WHERE sequence = 5"], 5, "the newest line is 4, and the state says that it was 5"),
        (["DELETE FROM audit"], 1, "the newest line is 0"),
        (["INSERT INTO audit SELECT 6, at, value, hash, hash FROM audit WHERE sequence = 5"], 6, "changed after"),
        (["UPDATE audit_head SET sequence = 4"], 5, "the newest line is 5"),
        (
            ["UPDATE command SET value = replace(value, 'incident-1', 'incident-2') WHERE id = 'first'"],
            1,
            "was changed",
        ),
        (
            [
                "UPDATE audit SET sequence = 100 WHERE sequence = 2",
                "UPDATE audit SET sequence = 2 WHERE sequence = 3",
                "UPDATE audit SET sequence = 3 WHERE sequence = 100",
            ],
            2,
            "does not follow",
        ),
    ],
    ids=lambda value: value[0][:60] if isinstance(value, list) else None,
)
async def test_hands_on_the_audit_are_found(path: Path, statements: Sequence[str], line: int, problem: str) -> None:
    await written(path)
    assert fault(path) is None
    tamper(path, *statements)
    found = fault(path)
    assert found is not None
    assert (found.sequence, problem in found.problem) == (line, True), found


async def test_a_state_that_forgot_its_newest_line_says_so_and_takes_no_further_one(path: Path) -> None:
    await written(path)
    tamper(path, "DELETE FROM audit_head")
    with pytest.raises(StoreError, match="no longer says which line is its newest"):
        fault(path)
    with open_inbox(path) as inbox, pytest.raises(StoreError, match="somebody changed the state by hand"):
        inbox.put(a_command("third"))


async def test_an_end_cut_off_with_care_is_found_by_a_hash_that_was_kept(path: Path) -> None:
    await written(path)
    with open_inbox(path) as inbox:
        kept = inbox.audit_verdict()[0].hash
        assert inbox.audit_holds(kept)
    tamper(
        path,
        "DELETE FROM audit WHERE sequence = 5",
        "UPDATE audit_head SET sequence = 4, hash = (SELECT hash FROM audit WHERE sequence = 4)",
    )
    assert fault(path) is None
    with open_inbox(path) as inbox:
        assert not inbox.audit_holds(kept)


async def test_processes_and_the_agent_that_write_at_once_never_fork_the_chain(path: Path) -> None:
    store = SqliteStore(path)
    await store.open()
    others = [started(path, name) for name in ("cli-a", "cli-b")]
    number = 0
    while any(other.poll() is None for other in others):
        await store.put(a_command(f"agent-{number}"))
        number += 1
    assert [other.wait() for other in others] == [0, 0]
    lines = await store.audit_lines(10_000)
    assert [line.sequence for line in reversed(lines)] == list(range(1, 50 + number + 1))
    assert await store.audit_fault() is None
    await store.close()
    writers = [line.note.command.rpartition("-")[0] for line in lines]
    turns = 1 + sum(before != after for before, after in itertools.pairwise(writers))
    assert turns > len(set(writers)) == 3, "they wrote one after the other"
