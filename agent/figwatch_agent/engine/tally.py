"""The events of one tick, by stream, route and latency bucket."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]


@dataclass(slots=True, eq=False)
class Tally:
    """Events of one tick."""

    total: Counts  # [stream, side]
    bad: Counts  # [stream, side]
    untimed_total: Counts  # [stream]: counted, but in no window
    untimed_bad: Counts  # [stream]
    known: NDArray[np.bool_]  # [stream]: measured in this tick
    covered: Counts  # [stream]: milliseconds that became known
    traffic: Counts  # [route + 1, traffic side]
    buckets: Counts  # [route, bucket side, bucket]
    excluded: NDArray[np.bool_]  # [stream]: set aside
    findings: dict[str, str] = field(default_factory=dict)  # by what it is about
    stream_findings: dict[int, str] = field(default_factory=dict)  # why a stream is not measured

    def spent(self) -> "Tally":
        """Without what is set aside: of that nothing is known and nothing is unknown, and nobody decides on it."""
        if not self.excluded.any():
            return self
        rows = ~self.excluded
        return replace(
            self,
            total=self.total * rows[:, None],
            bad=self.bad * rows[:, None],
            known=self.known & rows,
            covered=self.covered * rows,
        )

    def cleared(self) -> "Tally":
        """The same streams without any events."""
        counts = ("total", "bad", "untimed_total", "untimed_bad", "covered", "traffic", "buckets", "known", "excluded")
        return replace(
            self, **{name: np.zeros_like(getattr(self, name)) for name in counts}, findings={}, stream_findings={}
        )

    def of(self, streams: NDArray[np.bool_]) -> "Tally":
        """Of some streams alone."""
        return replace(
            self,
            total=self.total * streams[:, None],
            bad=self.bad * streams[:, None],
            known=self.known & streams,
            covered=self.covered * streams,
        )

    def users(self) -> tuple[Counts, Counts]:
        """(total, bad) by stream, whoever served them."""
        both, count = self.users_flat(), len(self.total)
        return both[:count], both[count:]

    def users_flat(self) -> Counts:
        """The same, totals before bad ones, in one array."""
        count = len(self.total)
        both = np.empty(2 * count, dtype=np.int64)
        _sum(self.total, both[:count])
        _sum(self.bad, both[count:])
        return both


def _sum(counts: Counts, out: Counts) -> None:
    """Over the sides; a sum along so short an axis is slow."""
    legacy, service, unknown = (counts[:, side] for side in range(counts.shape[1]))
    np.add(legacy, service, out=out)
    out += unknown
