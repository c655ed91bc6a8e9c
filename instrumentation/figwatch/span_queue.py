"""Where finished spans wait for whoever exports them."""

import threading
from collections import deque
from collections.abc import Callable
from itertools import count
from typing import Final

from figwatch.span_record import Ended, SpanRecord

QUEUE_LENGTH: Final = 2048
"""Spans that may wait for the exporter: OpenTelemetry's default for its batch processor."""


def _do_nothing() -> None:
    """Nobody waits to be woken."""


class SpanQueue:
    """Where finished spans wait. Full means the newest is dropped and counted, never that a request waits."""

    def __init__(
        self,
        dropped: Callable[[int], None],
        length: int = QUEUE_LENGTH,
        enough: int = QUEUE_LENGTH,
        wake: Callable[[], None] = _do_nothing,
        full: Callable[[], None] = _do_nothing,
    ) -> None:
        """`dropped` is told how many spans found no room.

        `wake` is called when `enough` spans are waiting, `full` for each that finds no room: the one may fetch some,
        the other may call `miss` from then on, so that no span is made for nothing.
        """
        self._waiting: deque[Ended] = deque()
        self._length = length
        self._dropped = dropped
        self._missed = count()
        self._settled = 0
        self._settling = threading.Lock()
        self.miss: Callable[[], object] = self._missed.__next__
        """Count a span that found no room: one step, so that no thread is overlooked; a tenth of what a cell costs."""
        self._before_last = enough - 1
        self._wake = wake
        self._full = full

    def put(self, ended: Ended) -> None:
        """Append, or drop and count."""
        waiting = self._waiting
        number = len(waiting)
        if number >= self._length:
            self.miss()
            self._full()
            return
        waiting.append(ended)
        if number == self._before_last:
            self._wake()

    def take(self, at_most: int) -> list[SpanRecord]:
        """Remove and return the oldest."""
        self.settle()
        taken: list[SpanRecord] = []
        while len(taken) < at_most:
            try:
                taken.append(SpanRecord._make(self._waiting.popleft()))
            except IndexError:
                break
        return taken

    @property
    def has_room(self) -> bool:
        """Whether one more span would be taken."""
        return len(self._waiting) < self._length

    def settle(self) -> None:
        """Tell how many spans found no room since the last time."""
        with self._settling:
            missed = next(self._missed) - self._settled
            self._settled += missed + 1  # looking counts, too
        if missed:
            self._dropped(missed)

    def __len__(self) -> int:
        return len(self._waiting)
