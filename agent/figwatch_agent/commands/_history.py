"""A history and the promises that are held against it: what `replay`, `backtest` and `report` have in common."""

import asyncio
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeVar

import click
import numpy as np
from numpy.typing import NDArray

from figwatch_agent.clock import AnchoredClock
from figwatch_agent.commands._span import SAMPLES, Span
from figwatch_agent.durations import MINUTE, Duration, Instant
from figwatch_agent.engine.catalog import compile_catalog
from figwatch_agent.engine.engine import Engine, Readings
from figwatch_agent.engine.past import PastCounter, PastCounts
from figwatch_agent.engine.past_findings import past_findings
from figwatch_agent.engine.past_grid import grid, instants_of, step_of
from figwatch_agent.engine.replaying import replay
from figwatch_agent.errors import NotEnoughData
from figwatch_agent.files.secrets import read_secret
from figwatch_agent.model.batch import Series
from figwatch_agent.model.names import Mode
from figwatch_agent.model.past import History
from figwatch_agent.model.replayed import Replayed
from figwatch_agent.model.secret import ReadSecret
from figwatch_agent.model.settings import PrometheusServer, Scrape, Settings
from figwatch_agent.model.slo import ServiceSlos
from figwatch_agent.sources.history_openmetrics import read_history
from figwatch_agent.sources.history_prometheus import PrometheusHistory
from figwatch_agent.sources.prometheus_api import PrometheusApi
from figwatch_agent.sources.prometheus_asking import PrometheusReader

ANSWER_BYTES: Final = 512 * 1024 * 1024
"""Of one answer of an engine: six hours of some thousand series."""

T = TypeVar("T")

Services = tuple[ServiceSlos, ...]


Read = Callable[[frozenset[str], Callable[[Series], bool]], History]


def read_files(paths: tuple[Path, ...]) -> Read:
    """How these files are read, with progress on a terminal."""

    def read(names: frozenset[str], wants: Callable[[Series], bool]) -> History:
        length = sum(path.stat().st_size for path in paths)
        with click.progressbar(length=length, label="Reading", file=sys.stderr, hidden=not _on_terminal()) as bar:
            return read_history(paths, names, wants, bar.update)

    return read


Made = Callable[[PrometheusServer, ReadSecret], PrometheusReader]


def read_server(url: str, settings: Settings, span: Span, made: Made = PrometheusApi) -> Read:
    """How an engine's history is read; credentials are those of figwatch.yaml, where it names the same engine."""
    if span.start is None:
        raise click.UsageError("--prometheus needs --from: an engine holds more than anybody wants to read")
    start, end = span.start, span.end if span.end is not None else AnchoredClock().now()
    source = settings.source
    same = isinstance(source, PrometheusServer) and source.url.rstrip("/") == url.rstrip("/")
    server = source if same and isinstance(source, PrometheusServer) else PrometheusServer(url=url)
    server = replace(server, timeout=max(server.timeout, MINUTE), max_bytes=max(server.max_bytes, ANSWER_BYTES))

    async def asked(names: frozenset[str], wants: Callable[[Series], bool]) -> History:
        reader = made(server, read_secret)
        hidden = not _on_terminal()
        try:
            with click.progressbar(length=end - start, label="Reading", file=sys.stderr, hidden=hidden) as bar:
                return await PrometheusHistory(reader, names, wants).read(start, end, bar.update)
        finally:
            await reader.close()

    def read(names: frozenset[str], wants: Callable[[Series], bool]) -> History:
        return asyncio.run(asked(names, wants))

    return read


def read_by(
    history: tuple[Path, ...], prometheus: str | None, settings: Settings, span: Span, made: Made = PrometheusApi
) -> Read:
    """From files or from an engine, whichever of them is given."""
    if prometheus is None:
        return read_files(history)
    if history:
        raise click.UsageError("name one of --history FILE and --prometheus URL")
    return read_server(prometheus, settings, span, made)


def read_for(services: Services, settings: Settings, read: Read) -> History:
    """The series that any of these SLOs counts by. Raises NotEnoughData where a history has no sample at all."""
    counter = PastCounter(compile_catalog(services, settings))
    history = read(counter.names(), counter.wants)
    if not history.samples and not history.others:
        raise NotEnoughData("the history holds no samples: there is nothing to replay")
    return history


def replayed(
    services: Services,
    settings: Settings,
    history: History,
    span: Span,
    label: str = "Replaying",
    readings: Readings = lambda now: (),
) -> Replayed:
    """What the engine decides over the span."""
    return lived(services, settings, history, span, label, readings).replayed


@dataclass(frozen=True, slots=True, kw_only=True)
class Lived:
    """An engine at the end of a history."""

    engine: Engine
    replayed: Replayed
    settings: Settings  # that it lived by
    ticks: NDArray[np.int64]
    start: Instant  # samples after it count


def lived(
    services: Services,
    settings: Settings,
    history: History,
    span: Span,
    label: str = "Replaying",
    readings: Readings = lambda now: (),
) -> Lived:
    """The engine as it stands at the end of the span, and what it decided."""
    history = _needed(services, settings, history)
    step = span.step or step_of(history)
    rollback = replace(settings.rollback, mode=Mode.DRY_RUN)  # told, never done: there is nobody to do it
    settings = replace(settings, source=Scrape(targets=(), interval=step), rollback=rollback)
    engine = Engine(services, settings, keeps_state=False)
    ticks, start = ticks_of(history, span, step)
    counts: PastCounts = PastCounter(engine.catalog).count(history, ticks, start, step * 3 // 2)
    with progress(range(len(ticks)), label) as places:
        found = replay(engine, counts, step, places, readings)
    found = replace(found, findings=past_findings(engine.catalog, history, counts), notices=history.notices)
    return Lived(engine=engine, replayed=found, settings=settings, ticks=ticks, start=start)


def _needed(services: Services, settings: Settings, history: History) -> History:
    """What these SLOs count by, of a history that was read for others as well."""
    counter = PastCounter(compile_catalog(services, settings))
    names = counter.names()
    targets = tuple(
        replace(
            target, tracks=tuple(one for one in target.tracks if one.series.name in names and counter.wants(one.series))
        )
        for target in history.targets
    )
    return replace(history, targets=tuple(target for target in targets if target.tracks))


def ticks_of(history: History, span: Span, step: Duration) -> tuple[NDArray[np.int64], Instant]:
    """(ticks, the instant after which samples count)."""
    instants = instants_of(history)
    if span.tick == SAMPLES:
        inside = (instants > (span.start or -1)) & (
            instants <= (span.end if span.end is not None else instants[-1:].max(initial=0))
        )
        ticks = instants[inside]
    else:
        tick = span.tick if isinstance(span.tick, int) else step
        if tick < step:
            raise click.UsageError("--tick is shorter than the samples are apart: nothing would be decided in between")
        try:
            ticks = grid(instants, tick, span.start, span.end)
        except ValueError as error:
            raise click.UsageError(str(error)) from None
    return ticks, span.start if span.start is not None else -1


def bare_settings() -> Settings:
    """What a replay needs of figwatch.yaml where none is given: nothing."""
    return Settings(path="", source=Scrape(targets=()), state="", runbook_url="")


@contextmanager
def progress(items: Iterable[T], label: str) -> Iterator[Iterable[T]]:
    """The items, with a bar on a terminal."""
    with click.progressbar(items, label=label, file=sys.stderr, hidden=not _on_terminal(), update_min_steps=100) as bar:
        yield bar


def _on_terminal() -> bool:
    return sys.stderr.isatty()
