"""A history of counters, as files and servers keep it: columns of samples, by scrape target and series."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import Instant
from figwatch_agent.model.batch import Series

TARGET_LABELS = ("job", "instance")
"""Labels whose values say which scrape target a series is from; series without them are from one target."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Track:
    """All samples of one series."""

    series: Series
    at: NDArray[
        np.int64
    ]  # milliseconds since the epoch, ascending, each once; tracks of one target may share the array
    values: NDArray[np.float64]  # finite and not negative


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PastTarget:
    """One scrape target. Each instant at which any of its series has a sample is an answer of it."""

    name: str
    tracks: tuple[Track, ...]  # in the order of their names and labels


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class History:
    """What was kept of the past."""

    targets: tuple[PastTarget, ...]  # by name
    notices: tuple[str, ...] = ()  # for people: what was left out, and where it stands
    others: bool = False  # whether there are samples of series that nobody asked for
    cuts: tuple[tuple[Instant, Instant], ...] = ()  # spans (from, to] whose samples are incomplete and were left out

    @property
    def samples(self) -> int:
        """How many there are."""
        return sum(len(track.at) for target in self.targets for track in target.tracks)


def target_name(series: Series) -> str:
    """The scrape target that a series is from, such as ``chat 10.0.0.7:9464``; empty where its labels name none."""
    labels = series.mapping()
    return " ".join(labels[label] for label in TARGET_LABELS if labels.get(label))
