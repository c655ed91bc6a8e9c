"""Events that a source counted itself, added to the streams that its keys name."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.engine.catalog import Catalog
from figwatch_agent.engine.mapping import SIDES
from figwatch_agent.engine.tally import Tally
from figwatch_agent.model.batch import Counted

_NOBODY = "unknown"  # a source that counts by stream need not say who served

_REMEMBERED = 8  # tuples of keys; a source hands out one and the same

Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class _Keys:
    """Where the counts of some keys belong."""

    keys: tuple[str, ...]
    sides: tuple[str, ...]
    places: Places  # positions in the arrays of the keys that name a stream
    streams: Places  # of these positions
    side: Places


class KeyedCounts:
    """Knows the streams of the keys that sources hand out, by the identity of the keys."""

    def __init__(self, catalog: Catalog) -> None:
        self._streams = {stream.key: stream.index for stream in catalog.streams}
        self._known: dict[tuple[int, int], _Keys] = {}

    def add(self, counted: Counted, tally: Tally) -> None:
        """Count it. Keys of no stream are left out; ValueError where one is named twice."""
        found = self._keys(counted)
        places, streams, side = found.places, found.streams, found.side
        total, bad, covered = counted.total[places], counted.bad[places], counted.covered[places]
        seen = covered > 0
        if counted.untimed_total is None or counted.untimed_bad is None:
            untimed_total, untimed_bad = np.where(seen, 0, total), np.where(seen, 0, bad)
            total, bad = np.where(seen, total, 0), np.where(seen, bad, 0)
        else:
            untimed_total, untimed_bad = counted.untimed_total[places], counted.untimed_bad[places]
        tally.total[streams, side] += total
        tally.bad[streams, side] += bad
        np.add.at(tally.untimed_total, streams, untimed_total)
        np.add.at(tally.untimed_bad, streams, untimed_bad)
        tally.covered[streams] += covered  # a stream that stands there for each side is covered once
        tally.known[streams] |= seen
        for stream in streams[seen].tolist() if tally.stream_findings else ():
            tally.stream_findings.pop(stream, None)
        for stream in streams[~seen].tolist():
            tally.stream_findings[stream] = "its source did not measure it"

    def _keys(self, counted: Counted) -> _Keys:
        name = id(counted.keys), id(counted.sides)
        found = self._known.get(name)
        if found is None or found.keys is not counted.keys or found.sides is not counted.sides:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            found = self._known[name] = self._read(counted.keys, counted.sides)
        return found

    def _read(self, keys: tuple[str, ...], sides: tuple[str, ...]) -> _Keys:
        named = list(zip(keys, sides or (_NOBODY,) * len(keys), strict=True))
        if len(set(named)) < len(named):
            raise ValueError("a source that counts by itself names every stream once, or once for each side")
        rows = [
            (place, self._streams[key], SIDES.index(side))
            for place, (key, side) in enumerate(named)
            if key in self._streams
        ]
        columns = np.array(rows, dtype=np.int64).reshape(-1, 3)
        return _Keys(keys, sides, *(columns[:, part].copy() for part in range(3)))
