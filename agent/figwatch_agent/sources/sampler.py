"""Asks the queries of data_loss criteria on their own schedule, of a database that is only ever read.

A query runs in a thread, on a connection that can neither write nor reach another file, and is stopped when its time is
over. What it answers becomes a reading; a query that fails gives a reading that says why, and no sample.
"""

import asyncio
import json
import math
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from decimal import Decimal
from typing import Final
from urllib.parse import quote

from figwatch_agent.clock import Clock
from figwatch_agent.durations import DAY, SECOND, Duration, Instant, format_duration
from figwatch_agent.model.batch import SAMPLE, ProbeResult, Reading
from figwatch_agent.model.slo import Criterion, ServiceSlos, SqlSample
from figwatch_agent.sources.prober import next_due

COLUMNS: Final = ("checked", "mismatched", "lag_seconds")

STEPS: Final = 10_000
"""Of SQLite's machine between two looks at the clock: a fraction of a millisecond."""

_READS: Final = frozenset(
    (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE)
)


class BadSample(Exception):
    """The query could not be asked, or its answer is no sample."""


class SqlSampler:
    """Every criterion with a query, asked at once and then every so often."""

    def __init__(
        self,
        services: Iterable[ServiceSlos],
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """``sleep`` takes seconds and may wake early."""
        self._asked = [each for service in services for each in service.criteria if each.sql is not None]
        self._clock = clock
        self._sleep = sleep
        self._readings: list[Reading] = []

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            for criterion in self._asked:
                group.create_task(self._keep_asking(criterion))
            await asyncio.Event().wait()  # with nothing to ask it runs as well: a part that ends stops the agent

    def drain(self) -> tuple[tuple[ProbeResult, ...], tuple[Reading, ...]]:
        """Everything answered since the last call, oldest first; no probes among it."""
        readings = tuple(self._readings)
        self._readings.clear()
        return (), readings

    async def ask_once(self) -> None:
        """Every query once."""
        for criterion in self._asked:
            await self._ask(criterion)

    async def _keep_asking(self, criterion: Criterion) -> None:
        every: Duration = criterion.every or DAY
        due = self._clock.now()
        while True:
            await self._ask(criterion)
            due = next_due(due, every, self._clock.now())
            while (wait := due - self._clock.now()) > 0:
                await self._sleep(wait / SECOND)

    async def _ask(self, criterion: Criterion) -> None:
        if criterion.sql is None:
            return
        name, asked = SAMPLE + criterion.name, self._clock.now()  # the sample speaks for what was there when it began
        try:
            row = await asyncio.to_thread(sample, criterion.sql)
        except BadSample as bad:
            self._readings.append(Reading(name=name, at=asked, ok=False, detail=str(bad)))
            return
        self._readings.append(_reading(name, asked, row))


def _reading(name: str, at: Instant, row: Mapping[str, str]) -> Reading:
    told = ", ".join(f"{column} {text}" for column, text in row.items())
    return Reading(name=name, at=at, ok=True, detail=told, value=json.dumps(row, sort_keys=True))


def sample(sql: SqlSample) -> dict[str, str]:
    """The row as texts of exact numbers. Raises BadSample."""
    try:
        connection = sqlite3.connect(f"file:{quote(sql.sqlite)}?mode=ro", uri=True, timeout=sql.timeout / SECOND)
    except sqlite3.Error as error:
        raise BadSample(f"the database cannot be opened: {error}") from error
    try:
        return _checked(*_rows(connection, sql))
    finally:
        connection.close()


def _rows(connection: sqlite3.Connection, sql: SqlSample) -> tuple[list[str], list[tuple[object, ...]]]:
    end = time.monotonic() + sql.timeout / SECOND
    connection.set_progress_handler(lambda: int(time.monotonic() > end), STEPS)
    connection.set_authorizer(_only_reads)
    try:
        cursor = connection.execute(sql.query)
        columns = [str(column[0]) for column in cursor.description or ()]
        return columns, cursor.fetchmany(2)
    except (sqlite3.Error, sqlite3.Warning) as error:
        if time.monotonic() > end:
            raise BadSample(f"the query was not done within {format_duration(sql.timeout)}") from None
        raise BadSample(f"the query failed: {error}") from error


def _only_reads(action: int, *names: str | None) -> int:
    return sqlite3.SQLITE_OK if action in _READS and "load_extension" not in names else sqlite3.SQLITE_DENY


def _checked(columns: list[str], rows: list[tuple[object, ...]]) -> dict[str, str]:
    unknown = [column for column in columns if column not in COLUMNS]
    if unknown or len(set(columns)) < len(columns) or ("checked" in columns) != ("mismatched" in columns):
        raise BadSample(f"its columns are {', '.join(columns)}; name them {' and '.join(COLUMNS[:2])}, or {COLUMNS[2]}")
    if len(rows) != 1:
        raise BadSample("it answers one row" if not rows else "it answers more than one row")
    row = {column: _number(column, value) for column, value in zip(columns, rows[0], strict=True)}
    if "checked" in row and int(row["mismatched"]) > int(row["checked"]):
        raise BadSample(f"more records differ ({row['mismatched']}) than were compared ({row['checked']})")
    return row


def _number(column: str, value: object) -> str:
    whole = isinstance(value, int)
    if not whole and (column != "lag_seconds" or not isinstance(value, float) or not math.isfinite(value)):
        raise BadSample(f"{column} is {'NULL' if value is None else repr(value)[:40]}, no number")
    text = str(value) if whole else f"{Decimal(repr(value)):f}"
    if text.startswith("-"):
        raise BadSample(f"{column} is below 0")
    return text
