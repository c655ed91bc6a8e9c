"""The forms in which the engine's state is kept: one per section."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import Instant
from figwatch_agent.engine.cases import CaseState
from figwatch_agent.engine.desk import Baseline, Silence
from figwatch_agent.evaluate.uptime import UptimeMeter
from figwatch_agent.model.batch import Reading, Series
from figwatch_agent.model.exclusion import Exclusion
from figwatch_agent.model.incident import Alert


def _none() -> NDArray[np.int64]:
    """What a state of an earlier version does not hold."""
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Keys of an array's columns, in order."""

    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RingState:
    """A ring without its rows."""

    at: Instant | None
    first_tick: Instant | None
    resolutions: tuple[int, ...]
    columns: str  # name of the section that holds the keys
    current: NDArray[np.int64]
    origin: NDArray[np.int64]
    born: NDArray[np.int64]  # instant before which a column was not counted; rows from before say nothing about it
    slots: tuple[int, ...] = ()  # by level; an earlier version did not say


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageState:
    """Which streams share a column of covered time, and whose past the columns share."""

    streams: str  # name of the section that holds the streams' keys
    group: NDArray[np.int64]  # by stream
    ids: tuple[int, ...]  # of the columns
    parents: tuple[tuple[int, int], ...]  # (column split off, column it was split from), by id
    next_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterState:
    """Last values of a scrape target."""

    at: Instant | None
    answered: bool
    rate: float
    last: NDArray[np.int64]
    created: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesState:
    """What those values belong to; changes with the page's series only."""

    series: tuple[Series, ...]
    families: frozenset[str]
    vanished: tuple[tuple[Series, tuple[int, int]], ...]  # (last, created)


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchState:
    """All watches."""

    keys: str
    start: NDArray[np.int64]
    last_bad: NDArray[np.int64]
    run_bad: NDArray[np.int64]
    run_total: NDArray[np.int64]
    first_failure: NDArray[np.int64]
    last_failure: NDArray[np.int64]
    failure_bad: NDArray[np.int64]
    failure_total: NDArray[np.int64]
    cut: NDArray[np.int64]
    firing: tuple[tuple[str, Alert], ...]
    cut_at: NDArray[np.int64] = field(default_factory=_none)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneState:
    """All lanes."""

    keys: str
    seen_bad: NDArray[np.int64]
    seen_total: NDArray[np.int64]
    statistic: NDArray[np.int64]
    thresholds: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamState:
    """What is remembered of streams beside their rings."""

    keys: str
    last_service: NDArray[np.int64]
    last_known: NDArray[np.int64]
    untimed_total: NDArray[np.int64]
    untimed_bad: NDArray[np.int64]
    known_until: NDArray[np.int64] = field(default_factory=_none)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskState:
    """Open work, latches, and what else a person or a worker set."""

    cases: tuple[CaseState, ...]
    latched: tuple[tuple[str, str], ...]
    past: tuple[tuple[Instant, str, bool], ...]
    silences: tuple[Silence, ...]
    baselines: tuple[tuple[str, Baseline], ...]
    signals: tuple[tuple[str, Instant], ...]
    failing_receivers: tuple[tuple[str, str], ...]
    findings: tuple[tuple[str, str], ...]
    wall_step: int
    meters: tuple[tuple[str, UptimeMeter], ...]
    last_request: tuple[tuple[str, Instant], ...]
    carriers: tuple[tuple[str, tuple[str, ...]], ...] = ()  # an earlier version kept them here


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriersState:
    """Which scrape targets ever had series of which streams, or of the requests at which vantage."""

    carriers: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingsState:
    """Newest readings."""

    readings: tuple[Reading, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartState:
    """What a piece sets aside in one ring."""

    ring: str
    after: Instant
    until: Instant | None
    columns: tuple[str, ...]
    start: NDArray[np.int64]
    end: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceState:
    """A stretch of time of some streams that an exclusion sets aside."""

    exclusion: str
    after: Instant
    until: Instant | None
    streams: tuple[str, ...]
    parts: tuple[PartState, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExclusionsState:
    """All exclusions, and what they set aside."""

    exclusions: tuple[Exclusion, ...]
    pieces: tuple[PieceState, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GapState:
    """Time in which some streams were not measured."""

    after: Instant
    until: Instant
    streams: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownState:
    """All such time."""

    gaps: tuple[GapState, ...]
