"""`figwatch audit`: who asked for what, and whether that account still holds."""

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from figwatch_agent.cli import main
from figwatch_agent.model.command import Command, CommandKind
from figwatch_agent.store.sqlite import SqliteStore
from support.agent_site import write_files
from support.model_values import NOON, an_audit_note


@pytest.fixture
def config(tmp_path: Path) -> str:
    """Files whose state holds three lines."""
    asyncio.run(_written(tmp_path / "figwatch.db"))
    return write_files(tmp_path, 1)


async def _written(path: Path) -> None:
    store = SqliteStore(path)
    await store.open()
    await store.note(an_audit_note(NOON))
    await store.put(
        Command(
            id="oncall/1",
            kind=CommandKind.SILENCE,
            at=NOON + 1,
            actor="oncall",
            origin="api 192.0.2.7",
            subject="/api/v1/chat",
            why="a load test",
            until=NOON + 2,
            data=(("user", "ada@laptop"),),
        )
    )
    await store.note(an_audit_note(NOON + 3))
    await store.close()


def tamper(folder: Path, statement: str) -> None:
    """What somebody does who may write to the file."""
    with closing(sqlite3.connect(folder / "figwatch.db")) as connection, connection:
        connection.execute(statement)


def head(capsys: pytest.CaptureFixture[str], config: str) -> str:
    """The hash that is printed."""
    assert main(["audit", "verify", "--config", config, "--output", "json"]) == 0
    found: str = json.loads(capsys.readouterr().out)["hash"]
    return found


def test_the_lines_say_who_what_from_where_and_why(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "show", "--config", config, "--output", "json"]) == 0
    third, second, first = json.loads(capsys.readouterr().out)["lines"]
    assert [line["sequence"] for line in (third, second, first)] == [3, 2, 1]
    assert (second["actor"], second["user"], second["origin"]) == ("oncall", "ada@laptop", "api 192.0.2.7")
    assert (second["kind"], second["subject"], second["why"]) == ("silence", "/api/v1/chat", "a load test")
    assert (second["until"], second["command"]) == ("2026-11-22T12:00:00.002Z", "oncall/1")
    assert second["previous"] == first["hash"]


def test_the_table_is_for_people_and_as_long_as_asked_for(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "show", "--config", config, "--limit", "2"]) == 0
    out = capsys.readouterr().out
    assert "silence" in out
    assert "ada@laptop" in out
    assert out.count("sign_in") == 1


def test_a_chain_that_holds_is_said_so_with_the_hash_to_keep(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "verify", "--config", config]) == 0
    out = capsys.readouterr().out
    assert "The audit holds: 3 lines" in out
    assert "Keep it elsewhere" in out
    assert head(capsys, config) in out


def test_a_changed_line_ends_with_1_and_is_named(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tamper(tmp_path, "UPDATE audit SET value = replace(value, 'a load test', 'a lunch') WHERE sequence = 2")
    assert main(["audit", "verify", "--config", config]) == 1
    assert "is broken at line 2: it was changed after it was written" in capsys.readouterr().err


def test_a_hash_that_was_kept_is_found_again_though_lines_were_added(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = head(capsys, config)
    asyncio.run(_written_one_more(tmp_path / "figwatch.db"))
    assert main(["audit", "verify", "--config", config, "--expect", kept]) == 0
    assert "4 lines" in capsys.readouterr().out


async def _written_one_more(path: Path) -> None:
    store = SqliteStore(path)
    await store.open()
    await store.note(an_audit_note(NOON + 4))
    await store.close()


def test_an_end_that_was_cut_off_with_care_is_found_by_the_hash_that_was_kept(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = head(capsys, config)
    tamper(tmp_path, "DELETE FROM audit WHERE sequence = 3")
    tamper(tmp_path, "UPDATE audit_head SET sequence = 2, hash = (SELECT hash FROM audit WHERE sequence = 2)")
    assert main(["audit", "verify", "--config", config]) == 0
    capsys.readouterr()
    assert main(["audit", "verify", "--config", config, "--expect", kept]) == 1
    assert f"holds no line with the hash {kept}" in capsys.readouterr().err


def test_a_line_that_cannot_be_read_is_an_error_and_no_traceback(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tamper(tmp_path, "UPDATE audit SET value = '{}' WHERE sequence = 3")
    assert main(["audit", "show", "--config", config]) == 1
    assert "line 3 of the audit cannot be read" in capsys.readouterr().err


def test_texts_of_others_cannot_move_the_cursor(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def written() -> None:
        store = SqliteStore(tmp_path / "figwatch.db")
        await store.open()
        await store.note(an_audit_note(NOON, subject="\x1b[2Jgone"))
        await store.close()

    asyncio.run(written())
    assert main(["audit", "show", "--config", config]) == 0
    assert "\x1b[2J" not in capsys.readouterr().out


def test_where_there_is_no_state_that_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "verify", "--config", write_files(tmp_path, 1)]) == 1
    assert "there is no state at" in capsys.readouterr().err
