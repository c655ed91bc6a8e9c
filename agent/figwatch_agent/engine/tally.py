"""The events of one tick, by stream, route and latency bucket."""

from dataclasses import dataclass, field

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
    findings: dict[str, str] = field(default_factory=dict)  # by what it is about
    stream_findings: dict[int, str] = field(default_factory=dict)  # why a stream is not measured
