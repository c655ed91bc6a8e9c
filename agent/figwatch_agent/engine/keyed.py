"""Events that a source counted itself, added to the streams that its keys name."""

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.engine.catalog import Catalog
from figwatch_agent.engine.mapping import SIDES
from figwatch_agent.engine.tally import Tally
from figwatch_agent.model.batch import Counted

_SIDE = SIDES.index("unknown")  # a source that counts by stream does not say who served

_REMEMBERED = 8  # tuples of keys; a source hands out one and the same

Places = NDArray[np.int64]


class KeyedCounts:
    """Knows the streams of the keys that sources hand out, by the identity of the keys."""

    def __init__(self, catalog: Catalog) -> None:
        self._streams = {stream.key: stream.index for stream in catalog.streams}
        self._known: dict[int, tuple[tuple[str, ...], Places, Places]] = {}

    def add(self, counted: Counted, tally: Tally) -> None:
        """Count it on the side nobody knows. Keys of no stream are left out; ValueError where one is named twice."""
        places, streams = self._places(counted.keys)
        total, bad, covered = counted.total[places], counted.bad[places], counted.covered[places]
        seen = covered > 0
        tally.total[streams, _SIDE] += np.where(seen, total, 0)
        tally.bad[streams, _SIDE] += np.where(seen, bad, 0)
        tally.untimed_total[streams] += np.where(seen, 0, total)
        tally.untimed_bad[streams] += np.where(seen, 0, bad)
        tally.covered[streams] += covered
        tally.known[streams] |= seen
        for stream, measured in zip(streams.tolist(), seen.tolist(), strict=True):
            if measured:
                tally.stream_findings.pop(stream, None)
            else:
                tally.stream_findings[stream] = "its source did not measure it"

    def _places(self, keys: tuple[str, ...]) -> tuple[Places, Places]:
        """(positions in the arrays, streams) of the keys that name a stream."""
        found = self._known.get(id(keys))
        if found is None or found[0] is not keys:
            if len(set(keys)) < len(keys):
                raise ValueError("a source that counts by itself names every stream once")
            pairs = [(place, self._streams[key]) for place, key in enumerate(keys) if key in self._streams]
            both = np.array(pairs, dtype=np.int64).reshape(-1, 2)
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            found = self._known[id(keys)] = (keys, both[:, 0].copy(), both[:, 1].copy())
        return found[1], found[2]
