"""The increases of a whole history at once, by the rules of increases.CounterMemory, answer by answer.

An answer of a scrape target is an instant at which any of its series has a sample. What decides about one series is
done over all its samples together; what decides about a target (how much it counted lately, whether it answered before)
goes answer by answer, and only where a counter was born after the target's first answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import Duration
from figwatch_agent.evaluate.increases import CREATED_SLACK, PLAUSIBLE_TIMES, family_of
from figwatch_agent.model.batch import Series
from figwatch_agent.model.past import PastTarget, Track

Counts = NDArray[np.int64]
Places = NDArray[np.intp]

_COUNTING = ("_count", "_total")
_CREATED = "_created"
_LATEST = 1e11  # seconds; a later date is nonsense


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """What one series counted."""

    series: Series
    answers: Places  # of the target, at which the series was shown
    counts: Counts  # one per answer


@dataclass(frozen=True, slots=True, eq=False)
class PastIncreases:
    """What one scrape target counted."""

    at: Counts  # instants of its answers
    gaps: Counts  # milliseconds since the answer before; 0 for the first
    timed: NDArray[np.bool_]  # whether the answer before is recent: else its counts belong to no window
    rows: tuple[Row, ...]
    started: int  # series whose first value is where counting starts, though the target had answered before


def past_increases(target: PastTarget, longest_gap: Duration, patience: Duration) -> PastIncreases:
    """Everything that a target counted. After a longer silence than ``patience`` a scrape was missed."""
    tracks = [track for track in target.tracks if not track.series.name.endswith(_CREATED)]
    instants = {id(track.at): track.at for track in tracks}
    at = np.unique(np.concatenate(list(instants.values()))) if instants else np.zeros(0, dtype=np.int64)
    places = {name: np.searchsorted(at, taken) for name, taken in instants.items()}
    gaps = np.diff(at, prepend=at[:1])
    births = _births_of(target, at)
    rows = [_row(track, places[id(track.at)], births) for track in tracks]
    started = _born([row for row in rows if len(row.row.answers) and row.row.answers[0] > 0], rows, at, gaps, patience)
    timed = (gaps <= longest_gap) & (np.arange(len(at)) > 0)
    return PastIncreases(at, gaps, timed, tuple(row.row for row in rows), started)


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    """A series with what decides about its birth."""

    row: Row
    first: int  # its first value
    created: int  # what its target said then about when it began, or 0


def _row(track: Track, answers: Places, births: dict[tuple[str, object], Counts]) -> _Read:
    values = track.values.astype(np.int64)
    counts = np.diff(values, prepend=values[:1])
    resets = counts < 0
    created = births.get(_origin(track.series))
    first = 0
    if created is not None:
        told = created[answers]
        resets[1:] |= (told[:-1] > 0) & (told[1:] > told[:-1])
        first = int(told[0]) if len(told) else 0
    counts = np.where(resets, values, counts)
    return _Read(Row(track.series, answers, counts), int(values[0]) if len(values) else 0, first)


def _births_of(target: PastTarget, at: Counts) -> dict[tuple[str, object], Counts]:
    """When series began, in milliseconds by answer, 0 where the target did not say; by name and labels of a family."""
    found: dict[tuple[str, object], Counts] = {}
    for track in target.tracks:
        if not track.series.name.endswith(_CREATED):
            continue
        usable = np.isin(track.at, at) & (track.values > 0) & (track.values < _LATEST)
        told = np.zeros(len(at), dtype=np.int64)
        told[np.searchsorted(at, track.at[usable])] = np.rint(track.values[usable] * 1000).astype(np.int64)
        found[track.series.name.removesuffix(_CREATED), track.series.labels] = told
    return found


def _origin(series: Series) -> tuple[str, object]:
    base, _, suffix = series.name.rpartition("_")
    if suffix == "bucket":
        return base, tuple(pair for pair in series.labels if pair[0] != "le")
    return (base, series.labels) if suffix in ("total", "count", "sum") else ("", ())


def _born(newborn: list[_Read], rows: Sequence[_Read], at: Counts, gaps: Counts, patience: Duration) -> int:
    """Count from 0 those that were born after their target's first answer and can have come about since.

    The others count from their first value: how many these are, where the answer before had come.
    """
    if not newborn:
        return 0
    lately = _counted(rows, len(at))
    by_answer: dict[int, list[_Read]] = {}
    for one in newborn:
        by_answer.setdefault(int(one.row.answers[0]), []).append(one)
    rate, started = 0.0, 0
    for answer in range(1, max(by_answer) + 1):
        gap = int(gaps[answer])
        if answer in by_answer and gap <= patience:
            most, before = PLAUSIBLE_TIMES * rate * gap, int(at[answer - 1])
            accepted = _plausible(by_answer[answer], most, before)
            started += len(by_answer[answer]) - len(accepted)
            for one in accepted:
                one.row.counts[0] = one.first
                if one.row.series.name.endswith(_COUNTING):
                    lately[answer] += one.first
        now = int(lately[answer]) / gap
        rate = now if rate == 0.0 else 0.9 * rate + 0.1 * now
    return started


def _counted(rows: Sequence[_Read], answers: int) -> Counts:
    """Events that a target counted, by answer."""
    counted = np.zeros(answers, dtype=np.int64)
    for one in rows:
        if one.row.series.name.endswith(_COUNTING):
            counted[one.row.answers] += one.row.counts  # a series has one sample an answer
    return counted


def _plausible(newborn: list[_Read], most: float, before: int) -> list[_Read]:
    largest: dict[object, int] = {}
    for one in newborn:  # the rows of one histogram are born together: its count decides for all of them
        family = family_of(one.row.series)
        largest[family] = max(largest.get(family, 0), one.first)
    return [
        one
        for one in newborn
        if (one.created >= before - CREATED_SLACK if one.created else largest[family_of(one.row.series)] <= most)
    ]
