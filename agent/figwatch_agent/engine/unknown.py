"""Time of every stream that nobody measured: what is told late may fill it, and nothing else."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import Duration, Instant

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Gap:
    """Some streams were not measured in (after, until]."""

    after: Instant
    until: Instant
    streams: Counts


class Unknown:
    """Gaps by stream, and up to when each was measured last."""

    def __init__(self, streams: int) -> None:
        self.known_until: Counts = np.full(streams, -1, dtype=np.int64)  # -1: before the first tick
        self.gaps: list[Gap] = []
        self.version = 0  # counts changes of ``gaps``

    def advance(self, covered: Counts, now: Instant) -> None:
        """A tick that covered each stream for so long."""
        self.known_until = np.where(self.known_until < 0, now - covered, self.known_until)
        begins = now - covered
        missed = np.flatnonzero((covered > 0) & (begins > self.known_until))
        for after, until in {(int(self.known_until[each]), int(begins[each])) for each in missed.tolist()}:
            there = missed[(self.known_until[missed] == after) & (begins[missed] == until)]
            self._put(Gap(after, until, there))
        self.gaps.sort(key=lambda gap: (gap.after, gap.until, int(gap.streams[0])))
        self.known_until = np.where(covered > 0, now, self.known_until)

    def fill(self, stream: int, after: Instant, until: Instant) -> bool:
        """Take (after, until] out of the unknown; False, and no change, where any of it is known."""
        if 0 <= self.known_until[stream] <= after:
            if self.known_until[stream] < after:
                self._put(Gap(int(self.known_until[stream]), after, np.array([stream], dtype=np.int64)))
            self.known_until[stream] = until
            return True
        gap = next((g for g in self.gaps if g.after <= after and until <= g.until and stream in g.streams), None)
        if gap is None:
            return False
        self.gaps.remove(gap)
        self.version += 1
        rest = gap.streams[gap.streams != stream]
        one = np.array([stream], dtype=np.int64)
        for begin, end, streams in ((gap.after, gap.until, rest), (gap.after, after, one), (until, gap.until, one)):
            if begin < end and len(streams):
                self._put(Gap(begin, end, streams))
        return True

    def forget(self, before: Instant) -> None:
        """Let go of gaps that no window reaches."""
        kept = [gap for gap in self.gaps if gap.until > before]
        self.version += len(kept) < len(self.gaps)
        self.gaps = kept

    def of(self, stream: int, now: Instant) -> Iterator[tuple[Instant, Instant]]:
        """The gaps of one stream, the one that goes on included."""
        yield from ((gap.after, gap.until) for gap in self.gaps if stream in gap.streams)
        if 0 <= self.known_until[stream] < now:
            yield int(self.known_until[stream]), now

    def time(self, stream: int, now: Instant) -> Duration:
        """Milliseconds that nobody measured."""
        return sum(until - after for after, until in self.of(stream, now))

    def _put(self, gap: Gap) -> None:
        self.gaps.append(gap)
        self.version += 1
