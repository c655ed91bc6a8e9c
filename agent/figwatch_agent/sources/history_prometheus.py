"""A history as a Prometheus-compatible engine holds it: raw samples with their own timestamps, read chunk by chunk."""

from collections.abc import Callable, Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import DAY, HOUR, MINUTE, Duration, Instant, format_duration, format_instant
from figwatch_agent.errors import FigwatchError
from figwatch_agent.model.batch import Series
from figwatch_agent.model.past import History
from figwatch_agent.sources.fault import Fault, FaultReason
from figwatch_agent.sources.history import LARGEST, HistoryInvalid, TwoValues, assembled, track
from figwatch_agent.sources.prometheus_asking import PrometheusReader, RetryBudget
from figwatch_agent.sources.prometheus_queries import one_of, over

CHUNK: Final[Duration] = 6 * HOUR
"""Asked for at once, to begin with. An engine that finds it too much is asked for half, and half again."""

LEAST: Final[Duration] = MINUTE

BEFORE: Final[Duration] = 10 * MINUTE
"""Read before the start: where counting starts is the sample before it."""

_NAMES_A_QUERY: Final = 20
_RETRIES: Final = 10
_TOO_MUCH: Final = ("too many", "exceed", "limit", "maxSamples", "max-samples")

Wanted = Callable[[Series], bool]
Progress = Callable[[int], None]
Columns = tuple[NDArray[np.int64], NDArray[np.float64]]


class HistoryUnavailable(FigwatchError):
    """An engine does not hand out its history."""


class PrometheusHistory:
    """Reads. Spans of which the engine could not see everything are left out: what happened then is unknown."""

    def __init__(self, api: PrometheusReader, names: Iterable[str], wanted: Wanted) -> None:
        ordered = sorted(names)
        parts = [ordered[first : first + _NAMES_A_QUERY] for first in range(0, len(ordered), _NAMES_A_QUERY)]
        self._queries = ["{" + one_of("__name__", part) + "}" for part in parts]
        self._api = api
        self._wanted = wanted
        self._pieces: dict[Series, list[Columns]] = {}
        self._unwanted: set[Series] = set()
        self._notices: list[str] = []
        self._cuts: list[tuple[Instant, Instant]] = []
        self._retries = RetryBudget(_RETRIES)

    async def read(self, start: Instant, end: Instant, progress: Progress = lambda read: None) -> History:
        """Samples from a little before ``start`` to ``end``; ``progress`` is told milliseconds of it as they are read.

        Raises HistoryUnavailable, and HistoryInvalid where the engine contradicts itself.
        """
        at, chunk = max(start - BEFORE, 0), CHUNK
        while at < end:
            until = min(at + chunk, end)
            try:
                found, warnings = await self._chunk(at, until)
            except Fault as fault:
                if not is_too_much(fault) or chunk <= LEAST:
                    raise HistoryUnavailable(f"the engine does not answer for {_span(at, until)}: {fault}") from None
                chunk = max(chunk // 2, LEAST)
                continue
            if warnings:
                self._cuts.append((at, until))
                self._notices.append(f"{_span(at, until)} is unknown, the engine saw a part of it only: {warnings[0]}")
            else:
                self._keep(found)
            progress(until - at)
            at = until
        try:
            tracks = [
                track(series, np.concatenate([one[0] for one in pieces]), np.concatenate([one[1] for one in pieces]))
                for series, pieces in self._pieces.items()
            ]
        except TwoValues as two:
            raise HistoryInvalid(f"the engine says two things: {two}") from None
        return assembled(tracks, self._notices, self._cuts, others=bool(self._unwanted))

    async def _chunk(self, at: Instant, until: Instant) -> tuple[list[Any], list[str]]:
        found: list[Any] = []
        warnings: list[str] = []
        for query in self._queries:
            answer = await self._api.instant(over(query, until - at), until, self._retries)
            data = answer.data
            if not isinstance(data, dict) or data.get("resultType") != "matrix":
                raise Fault(FaultReason.MALFORMED, "the answer holds no raw samples: is this a Prometheus API?")
            found += data["result"]
            warnings += answer.warnings
        return found, warnings

    def _keep(self, matrix: list[Any]) -> None:
        for each in matrix:
            labels = dict(each["metric"])
            series = Series(name=labels.pop("__name__", ""), labels=tuple(sorted(labels.items())))
            if series in self._unwanted:
                continue
            if series not in self._pieces and not self._wanted(series):
                self._unwanted.add(series)
                continue
            at = np.rint(np.array([at for at, _ in each["values"]], dtype=np.float64) * 1000).astype(np.int64)
            values = np.array([float(value) for _, value in each["values"]], dtype=np.float64)
            good = (values >= 0) & (values < LARGEST)
            if not good.all():
                self._notices.append(f"{int((~good).sum())} samples of {series.name} are no count, and left out")
            self._pieces.setdefault(series, []).append((at[good], values[good]))


def is_too_much(fault: Fault) -> bool:
    """Whether less might be answered."""
    if fault.reason in (FaultReason.TOO_LARGE, FaultReason.TIMEOUT):
        return True
    return fault.reason is FaultReason.STATUS and any(word in fault.detail for word in _TOO_MUCH)


def _span(at: Instant, until: Instant) -> str:
    length = format_duration(until - at) if until - at < DAY else f"{(until - at) // DAY}d"
    return f"{format_instant(at)} to {format_instant(until)} ({length})"
