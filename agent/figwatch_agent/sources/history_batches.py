"""A history as the answers that a live agent would have been given: by tick, one Batch per scrape target and answer."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import Instant
from figwatch_agent.model.batch import Batch, Series, SeriesTable, down
from figwatch_agent.model.past import History, PastTarget, Track
from figwatch_agent.sources.raw_samples import family

_CREATED = "_created"


def batches_of(
    history: History, ticks: Iterable[Instant], start: Instant, wanted: Callable[[Series], bool]
) -> Iterator[tuple[Instant, tuple[Batch, ...]]]:
    """Each tick with the answers that it takes: those after the tick before it.

    The first takes the last answer up to ``start``, too: counting begins there. A scrape target without an answer in
    a tick is down, once it had any.
    """
    targets = [_Answers(target, tracks) for target in history.targets if (tracks := _plain(target, wanted))]
    since: Instant | None = None
    for now in ticks:
        found = [batch for one in targets for batch in one.taken(start if since is None else since, now, since is None)]
        yield now, tuple(sorted(found, key=lambda batch: (batch.at, batch.target)))
        since = now


def _plain(target: PastTarget, wanted: Callable[[Series], bool]) -> list[Track]:
    return [one for one in target.tracks if not one.series.name.endswith(_CREATED) and wanted(one.series)]


class _Answers:
    """Of one scrape target."""

    def __init__(self, target: PastTarget, tracks: list[Track]) -> None:
        self._name = target.name
        self._series = [track.series for track in tracks]
        self._at = np.unique(np.concatenate([track.at for track in tracks]))
        self._values = np.full((len(self._at), len(tracks)), np.nan)
        self._created = np.zeros_like(self._values, dtype=np.int64)
        births = {
            (track.series.name.removesuffix(_CREATED), track.series.labels): track
            for track in target.tracks
            if track.series.name.endswith(_CREATED)
        }
        for column, track in enumerate(tracks):
            self._values[np.searchsorted(self._at, track.at), column] = track.values
            born = births.get(_origin(track.series))
            if born is not None:
                known = np.isin(born.at, self._at)
                places = np.searchsorted(self._at, born.at[known])
                self._created[places, column] = np.rint(born.values[known] * 1000).astype(np.int64)
        self._tables: dict[bytes, SeriesTable] = {}

    def taken(self, since: Instant, now: Instant, first: bool) -> Iterator[Batch]:
        """The answers in (since, now], and the one before them where the tick is the first."""
        begin, end = (int(place) for place in np.searchsorted(self._at, (since, now), side="right"))
        if first:
            begin = max(begin - 1, 0)
        if begin == end and begin:
            yield down(self._name, now, "missing")
        for place in range(begin, end):
            yield self._answer(place)

    def _answer(self, place: int) -> Batch:
        shown: NDArray[np.bool_] = ~np.isnan(self._values[place])
        table = self._tables.get(shown.tobytes())
        if table is None:
            series = tuple(one for one, here in zip(self._series, shown.tolist(), strict=True) if here)
            names = {one.name for one in series}
            table = SeriesTable(series, frozenset(names | {family(name) for name in names}))
            self._tables[shown.tobytes()] = table
        return Batch(
            target=self._name,
            at=int(self._at[place]),
            up=True,
            table=table,
            values=self._values[place][shown],
            created=self._created[place][shown],
        )


def _origin(series: Series) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Name and labels of what says when a series began."""
    return family(series.name), tuple(pair for pair in series.labels if pair[0] != "le")
