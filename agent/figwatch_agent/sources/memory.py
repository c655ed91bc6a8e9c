"""The in-memory twin of a source: hands out what it was given."""

from collections.abc import Iterable

from figwatch_agent.durations import Instant
from figwatch_agent.model.batch import Batch


class MemorySource:
    """One tuple of batches per collect, in order; nothing once they are used up."""

    def __init__(self, batches: Iterable[tuple[Batch, ...]]) -> None:
        self._batches = iter(batches)
        self.collected: list[Instant] = []
        self.closed = False

    async def collect(self, now: Instant) -> tuple[Batch, ...]:
        """The next batches, as they are: their ``at`` is not changed to ``now``."""
        self.collected.append(now)
        return next(self._batches, ())

    async def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True
