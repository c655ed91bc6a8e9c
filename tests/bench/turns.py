"""CPU time of a request through several applications that take turns in one process.

Bare, ours, peer, bare, ours, peer: whatever else the machine does hits them alike. What an application costs *above the
bare one* is the median, over the rounds, of the difference within a round. Only the thread that serves is measured:
what a library does on threads of its own is a row of its own.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Final

ROUNDS: Final = 61
"""Rounds that count; an odd number, so that the median is one of them."""
WARM_UP: Final = 5
"""Rounds thrown away: caches fill, the interpreter specialises its bytecode."""
REQUESTS: Final = 200
"""Requests of one application in one round: some milliseconds, so that a switch of the process hits few rounds."""

Serve = Callable[[int], None]
"""Serves that many requests."""


def _nothing() -> None:
    """There is nothing to empty."""


def spent(contenders: Mapping[str, Serve], rest: Callable[[], None] = _nothing) -> dict[str, list[float]]:
    """Microseconds of CPU a request, per contender and round.

    `rest` runs after each turn, off the clock: it empties queues and exporters, so that nobody's leavings make the next
    one's garbage collection dearer, or export on another thread while the next one is at it.
    """
    found: dict[str, list[float]] = {name: [] for name in contenders}
    gc.collect()
    gc.freeze()  # what was imported is not walked through in the middle of somebody's turn
    for _ in range(ROUNDS + WARM_UP):
        for name, serve in contenders.items():
            started = time.thread_time_ns()
            serve(REQUESTS)
            found[name].append((time.thread_time_ns() - started) / REQUESTS / 1000)
            rest()
    return {name: each[WARM_UP:] for name, each in found.items()}


def above(found: Mapping[str, list[float]], name: str, floor: str = "bare") -> float:
    """What `name` costs above `floor`, in microseconds."""
    return statistics.median(one - other for one, other in zip(found[name], found[floor], strict=True))
