"""What an engine kept of the time in which it could not be asked: raw samples of that time, chunk by chunk.

The oldest comes first. A chunk of which the engine could not see everything is not used, and asked for again later and
later.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from figwatch_agent.durations import MINUTE, SECOND, Duration, Instant, format_instant
from figwatch_agent.model.missing import Missing, Past
from figwatch_agent.sources.fault import Fault, first_fault
from figwatch_agent.sources.history_prometheus import is_too_much
from figwatch_agent.sources.raw_samples import RawSamples

CHUNK: Final[Duration] = 20 * MINUTE
"""Read in one look beside what is new: one question for each of the look's own, over so much of the past."""

LEAST: Final[Duration] = MINUTE

LONGEST_PAUSE: Final[Duration] = 10 * MINUTE

Raw = Callable[[Instant, Duration], Awaitable[tuple[list[Any], list[Any]]]]
"""Counters and ``up`` as matrices: raw samples up to an instant, of the time before it."""


class Backfill:
    """Reads at most one chunk a look."""

    def __init__(self, missing: Callable[[], tuple[Missing, ...]], settle: Duration) -> None:
        """``settle``: how old what is missing must be, since what was scraped then may be stored late."""
        self._missing = missing
        self._settle = settle
        self._chunk = CHUNK
        self._pause: Duration = 0
        self._not_before: Instant = 0
        self.fault = ""  # for people: why what is missing cannot be read

    async def read(self, now: Instant, raw: Raw, samples: RawSamples) -> tuple[Past, ...]:
        """The oldest chunk of what is missing, complete; nothing where nothing is, or where it cannot be read now."""
        missing = [each for each in self._missing() if each.until <= now - self._settle]
        if not missing:
            self.fault = ""
        if not missing or now < self._not_before:
            return ()
        after = min(each.after for each in missing)
        until = min(after + self._chunk, max(each.until for each in missing))
        try:
            counters, ups = await raw(until, until - after)
        except (Fault, ExceptionGroup, TimeoutError) as error:
            self._failed(now, first_fault(error), after)
            return ()
        self._pause, self.fault = 0, ""
        told = {each.target: each.after for each in missing}
        found = samples.of_the_past(told).batches(counters, ups)
        return (Past(after=after, until=until, batches=tuple(batch for batch in found if batch.target in told)),)

    def _failed(self, now: Instant, fault: Fault, after: Instant) -> None:
        """Less is asked for where it was too much; anything else is asked again after a longer pause."""
        self.fault = f"what was missed since {format_instant(after)} cannot be read yet: {fault.detail}"
        if is_too_much(fault) and self._chunk > LEAST:
            self._chunk = max(self._chunk // 2, LEAST)
            return
        self._pause = min(max(2 * self._pause, SECOND), LONGEST_PAUSE)
        self._not_before = now + self._pause
