"""What it costs to keep the state of a thousand SLOs with thirty days behind them: a tick's save, and a restart.

Every SLO counts two series of its own, scraped from one page. The state lies in the real store: what a tick hands over
is committed there, and a restart reads the file and stands where the agent stood.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench.row import Row
from figwatch_agent.durations import MINUTE, SECOND
from figwatch_agent.engine import Engine
from figwatch_agent.model.outcome import Outcome, Saved
from figwatch_agent.model.settings import Settings
from figwatch_agent.model.slo import ServiceSlos
from figwatch_agent.store.sqlite import SqliteStore
from support.scraped_load import Page, thirty_days
from support.tally_load import conf, own_services

SLOS: Final = 1_000
TOGETHER_MS: Final = 100.0
"""CPU of an ordinary tick's save and of a restore."""
TICK: Final = 10 * SECOND
TICKS: Final = 20 * MINUTE // TICK
"""Boundaries of every level but the coarsest are passed."""
RESTARTS: Final = 5


@dataclass(slots=True)
class Cost:
    """CPU in milliseconds."""

    saves: list[float] = field(default_factory=list)  # by tick: making the state's bytes, and committing them
    sizes: list[int] = field(default_factory=list)  # by tick: these bytes
    loads: list[float] = field(default_factory=list)  # by restart: reading the file
    standing: list[float] = field(default_factory=list)  # by restart: an engine that goes on from there
    fresh: list[float] = field(default_factory=list)  # by restart: one that begins


def rows() -> Iterator[Row]:
    """One row per layout: of the restarts the one that was disturbed least, of the ticks the median."""
    for layout in ("compact", "default"):
        with tempfile.TemporaryDirectory() as folder:
            cost = asyncio.run(_measured(layout, Path(folder) / "figwatch.db"))
        saved, load, restore = statistics.median(cost.saves), min(cost.loads), min(cost.standing) - min(cost.fresh)
        yield Row(
            name=f"1,000 {layout} SLOs saved and restored / 100 ms",
            ratio=(saved + load + restore) / TOGETHER_MS,
            limit=1.0,
            note=(
                f"read {load:.0f}, stood {restore:.0f}, a tick {saved:.0f} ms (at most {max(cost.saves):.0f}) and"
                f" {statistics.median(cost.sizes) / 1024:.0f} kB"
            ),
        )


async def _measured(layout: str, path: Path) -> Cost:
    services, settings, cost = own_services(SLOS), conf(TICK, layout), Cost()
    whole, page = thirty_days(services, settings, TICK)
    store = SqliteStore(path)
    await store.open()
    await store.commit(whole)
    await _ticks(store, services, settings, page, cost)
    await store.close()
    for _ in range(RESTARTS):
        await _restart(path, services, settings, cost)
    return cost


async def _ticks(
    store: SqliteStore, services: tuple[ServiceSlos, ...], settings: Settings, page: Page, cost: Cost
) -> None:
    """Some ticks of an agent; making the state's bytes is what it takes longer than a twin that keeps none."""
    saved = await store.load()
    engine, twin = Engine(services, settings, saved), Engine(services, settings, saved, keeps_state=False)
    now = saved.at or 0
    for _ in range(TICKS):
        now += TICK
        inputs = page.inputs(now, TICK)
        begun = time.process_time_ns()
        twin.advance(inputs, now)
        between = time.process_time_ns()
        outcome = engine.advance(inputs, now)
        await store.commit(outcome)
        cost.saves.append((time.process_time_ns() - 2 * between + begun) / 1e6)
        cost.sizes.append(_size(outcome))


def _size(outcome: Outcome) -> int:
    return sum(len(data) for _, data in outcome.sections) + sum(len(row.data) for row in outcome.ring_rows)


async def _restart(path: Path, services: tuple[ServiceSlos, ...], settings: Settings, cost: Cost) -> None:
    store = SqliteStore(path)
    gc.collect()
    begun = time.process_time_ns()
    await store.open()
    saved = await store.load()
    cost.loads.append((time.process_time_ns() - begun) / 1e6)
    cost.standing.append(_made(services, settings, saved))
    cost.fresh.append(_made(services, settings, None))
    await store.close()


def _made(services: tuple[ServiceSlos, ...], settings: Settings, saved: Saved | None) -> float:
    gc.collect()
    begun = time.process_time_ns()
    Engine(services, settings, saved)
    return (time.process_time_ns() - begun) / 1e6
