"""From samples as they were read to a History: in order, each once, by scrape target."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import Instant, format_instant
from figwatch_agent.errors import FigwatchError
from figwatch_agent.model.batch import Series
from figwatch_agent.model.past import History, PastTarget, Track, target_name

Stamps = NDArray[np.int64]
Values = NDArray[np.float64]

LARGEST = 2.0**62
"""A counter that stands higher is no count of events."""


class HistoryInvalid(FigwatchError):
    """A history breaks its format, or says two things at once; nothing of it is used."""


class TwoValues(Exception):
    """One series has two values at one instant."""

    def __init__(self, series: Series, at: Instant) -> None:
        super().__init__(f"{written(series)} has two values at {format_instant(at)}")
        self.series = series
        self.at = at


def track(series: Series, at: Stamps, values: Values) -> Track:
    """The samples of one series in order. Samples that came twice count once. Raises TwoValues."""
    if len(at) > 1 and bool((at[1:] <= at[:-1]).any()):
        order = np.argsort(at, kind="stable")
        at, values = at[order], values[order]
        again = at[1:] == at[:-1]
        differs = again & (values[1:] != values[:-1])
        if bool(differs.any()):
            raise TwoValues(series, int(at[1:][differs][0]))
        once = np.concatenate([[True], ~again])
        at, values = at[once], values[once]
    return Track(series=series, at=at, values=values)


def assembled(
    tracks: Iterable[Track],
    notices: Iterable[str],
    cuts: Iterable[tuple[Instant, Instant]] = (),
    *,
    others: bool = False,
) -> History:
    """A History. Tracks whose samples were taken at the same instants share one array of them."""
    shared: dict[bytes, Stamps] = {}
    targets: dict[str, list[Track]] = {}
    for each in tracks:
        at = shared.setdefault(each.at.tobytes(), each.at) if len(each.at) else each.at
        name = target_name(each.series)
        targets.setdefault(name, []).append(Track(series=each.series, at=at, values=each.values))
    return History(
        targets=tuple(
            PastTarget(name=name, tracks=tuple(sorted(targets[name], key=lambda one: _order(one.series))))
            for name in sorted(targets)
        ),
        notices=tuple(notices),
        others=others,
        cuts=tuple(cuts),
    )


def written(series: Series) -> str:
    """A series as Prometheus writes it."""
    labels = ",".join(f'{label}="{_escaped(value)}"' for label, value in series.labels)
    return f"{series.name}{{{labels}}}" if labels else series.name


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _order(series: Series) -> tuple[str, tuple[tuple[str, str], ...]]:
    return series.name, series.labels
