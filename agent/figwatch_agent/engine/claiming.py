"""Unknown time that is claimed for many streams at once."""

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import Instant
from figwatch_agent.engine.unknown import Gap, Unknown

Counts = NDArray[np.int64]


def claim(unknown: Unknown, streams: Counts, after: Instant, until: Instant) -> Counts:
    """Take what is unknown of (after, until] out of the unknown; by stream, how many milliseconds of it were."""
    found = np.zeros(len(streams), dtype=np.int64)
    kept: list[Gap] = []
    for gap in unknown.gaps:
        hit = np.isin(streams, gap.streams)
        begin, end = max(gap.after, after), min(gap.until, until)
        if begin >= end or not hit.any():
            kept.append(gap)
            continue
        found[hit] += end - begin
        taken, rest = streams[hit], gap.streams[~np.isin(gap.streams, streams)]
        parts = ((gap.after, gap.until, rest), (gap.after, begin, taken), (end, gap.until, taken))
        kept += [Gap(first, last, some) for first, last, some in parts if first < last and len(some)]
        unknown.version += 1
    unknown.gaps = kept
    for place in np.flatnonzero((unknown.known_until[streams] >= 0) & (unknown.known_until[streams] < until)).tolist():
        found[place] += _grow(unknown, int(streams[place]), after, until)
    return found


def _grow(unknown: Unknown, stream: int, after: Instant, until: Instant) -> int:
    """The same where the unknown time of a stream goes on: it is known up to ``until`` then."""
    known = int(unknown.known_until[stream])
    if known < after:
        unknown.gaps.append(Gap(known, after, np.array([stream], dtype=np.int64)))
        unknown.version += 1
    unknown.known_until[stream] = until
    return until - max(known, after)
