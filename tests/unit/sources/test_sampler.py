"""Queries of criteria only read, end in time, and give a sample or the reason why there is none."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from figwatch_agent.clock import ManualClock
from figwatch_agent.durations import SECOND
from figwatch_agent.model.names import Measure
from figwatch_agent.model.slo import Criterion, SqlSample
from figwatch_agent.sources.probers import Probers
from figwatch_agent.sources.sampler import BadSample, SqlSampler, sample
from support.world import START, service


@pytest.fixture
def database(tmp_path: Path) -> str:
    """Orders of both stores, one of four differing."""
    path = tmp_path / "orders ?#.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE orders (id INTEGER, legacy TEXT, service TEXT)")
        rows = [(1, "a", "a"), (2, "b", "b"), (3, "c", "x"), (4, "d", "d")]
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?)", rows)
    return str(path)


GOOD = "SELECT count(*) AS checked, sum(legacy IS NOT service) AS mismatched, 0.25 AS lag_seconds FROM orders"


def ask(path: str, query: str, timeout: int = 5 * SECOND) -> dict[str, str]:
    """One answer."""
    return sample(SqlSample(sqlite=path, query=query, timeout=timeout))


def test_a_row_is_a_sample_of_exact_numbers(database: str) -> None:
    assert ask(database, GOOD) == {"checked": "4", "mismatched": "1", "lag_seconds": "0.25"}
    assert ask(database, "SELECT 1e-7 AS lag_seconds") == {"lag_seconds": "0.0000001"}


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("DELETE FROM orders", "not authorized"),
        ("WITH x AS (SELECT 1) INSERT INTO orders SELECT 9, 'a', 'b'", "not authorized"),
        ("ATTACH 'other.db' AS other", "not authorized"),
        ("PRAGMA user_version = 3", "not authorized"),
        ("SELECT load_extension('x') AS lag_seconds", "not authorized"),
        ("SELECT 1 AS checked", "name them checked and mismatched"),
        ("SELECT 1 AS lag_seconds, 2 AS more", "name them"),
        ("SELECT 1 AS lag_seconds, 2 AS lag_seconds", "name them"),
        ("SELECT id AS lag_seconds FROM orders", "more than one row"),
        ("SELECT id AS lag_seconds FROM orders WHERE id > 9", "answers one row"),
        ("SELECT NULL AS lag_seconds", "NULL"),
        ("SELECT 9e999 AS lag_seconds", "no number"),
        ("SELECT -1 AS lag_seconds", "below 0"),
        ("SELECT 1.5 AS checked, 0 AS mismatched", "no number"),
        ("SELECT 1 AS checked, 2 AS mismatched", "more records differ"),
        ("SELECT colour FROM orders", "no such column"),
        ("SELECT 1 AS lag_seconds; SELECT 2 AS lag_seconds", "one statement"),
    ],
)
def test_what_is_no_sample_says_why_and_changes_nothing(database: str, query: str, said: str) -> None:
    with pytest.raises(BadSample, match=said):
        ask(database, query)
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT count(*) FROM orders").fetchone() == (4,)


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(BadSample, match="unable to open"):
        ask(str(tmp_path / "none.db"), GOOD)
    assert list(tmp_path.iterdir()) == []


def test_a_query_that_takes_too_long_is_stopped(database: str) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) AS lag_seconds FROM n"
    with pytest.raises(BadSample, match="not done within 50ms"):
        ask(database, endless, timeout=50)


async def test_answers_and_failures_become_readings_at_the_instant_of_asking(database: str) -> None:
    good = Criterion(
        name="loss",
        measure=Measure.DATA_LOSS,
        target="<= 0",
        over=SECOND,
        sql=SqlSample(sqlite=database, query=GOOD, timeout=SECOND),
    )
    bad = replace(good, name="bad", sql=SqlSample(sqlite=database + "x", query=GOOD, timeout=SECOND))
    plain = replace(good, name="events", sql=None)
    sampler = SqlSampler([replace(service(), criteria=(good, bad, plain))], ManualClock(START))
    await sampler.ask_once()
    probes, readings = Probers((sampler,)).drain()
    assert probes == ()
    assert [(each.name, each.at, each.ok) for each in readings] == [
        ("sample/loss", START, True),
        ("sample/bad", START, False),
    ]
    assert readings[0].value == '{"checked": "4", "lag_seconds": "0.25", "mismatched": "1"}'
    assert sampler.drain() == ((), ())
