"""What an engine kept of the time in which it could not be asked: raw samples of that time, chunk by chunk.

The oldest comes first. A chunk of which the engine could not see everything is not used, and asked for again later and
later. After an hour of that what is newer waits no longer: each piece that cannot be read once more is given up.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from figwatch_agent.durations import DAY, HOUR, MINUTE, SECOND, Duration, Instant, format_instant
from figwatch_agent.model.missing import Missing, Past
from figwatch_agent.sources.fault import Fault, first_fault
from figwatch_agent.sources.history_prometheus import is_too_much
from figwatch_agent.sources.raw_samples import RawSamples

CHUNK: Final[Duration] = 20 * MINUTE
"""Read in one look beside what is new: one question for each of the look's own, over so much of the past."""

LEAST: Final[Duration] = MINUTE

LONGEST_PAUSE: Final[Duration] = 10 * MINUTE

PATIENCE: Final[Duration] = HOUR
"""Without any chunk that can be read; from then on each piece is asked for once more, and given up."""

ATTEMPTS: Final = 8
"""At least, whatever the clock says: an agent that slept has not waited."""

PIECE: Final[Duration] = 5 * MINUTE
"""Given up at once, so that little is lost beside what an engine cannot see."""

Raw = Callable[[Instant, Duration], Awaitable[tuple[list[Any], list[Any]]]]
"""Counters and ``up`` as matrices: raw samples up to an instant, of the time before it."""


class Backfill:
    """Reads at most one chunk a look."""

    def __init__(self, missing: Callable[[], tuple[Missing, ...]], settle: Duration) -> None:
        """``settle``: how old what is missing must be, since what was scraped then may be stored late."""
        self._missing = missing
        self._settle = settle
        self._most = CHUNK
        self._chunk = CHUNK
        self._pause: Duration = 0
        self._not_before: Instant = 0
        self._failing_since: Instant | None = None  # the first of the attempts that all failed
        self._attempts = 0
        self._given_up: tuple[Instant, Instant] | None = None
        self._told_until: Instant = 0  # people hear of what was given up for a day
        self._fault = ""

    @property
    def fault(self) -> str:
        """For people: why what is missing cannot be read, and what of it never will be; "" where there is nothing."""
        if self._given_up is None:
            return self._fault
        start, end = (format_instant(at) for at in self._given_up)
        gone = f"what was missed from {start} to {end} could not be read in full: what lacks is counted in no window"
        return f"{self._fault}; {gone}" if self._fault else gone

    async def read(self, now: Instant, raw: Raw, samples: RawSamples) -> tuple[Past, ...]:
        """The oldest chunk of what is missing: complete, or empty where it is given up.

        Nothing where nothing is missing, or where it cannot be read now.
        """
        if now > self._told_until:
            self._given_up = None
        missing = [each for each in self._missing() if each.until <= now - self._settle]
        if not missing:
            self._fault, self._chunk, self._failing_since, self._attempts = "", self._most, None, 0
        if not missing or now < self._not_before:
            return ()
        after = min(each.after for each in missing)
        until = min(after + self._chunk, max(each.until for each in missing))
        try:
            counters, ups = await raw(until, until - after)
        except (Fault, ExceptionGroup, TimeoutError) as error:
            return self._failed(now, first_fault(error), after, until)
        self._succeeded()
        told = {each.target: each.after for each in missing}
        found = samples.of_the_past(told).batches(counters, ups)
        return (Past(after=after, until=until, batches=tuple(batch for batch in found if batch.target in told)),)

    def _succeeded(self) -> None:
        """A whole chunk ends the haste in which pieces are given up; a piece is followed by a larger one."""
        self._pause, self._fault = 0, ""
        if self._chunk >= self._most:
            self._failing_since, self._attempts = None, 0
        self._chunk = min(2 * self._chunk, self._most)

    def _failed(self, now: Instant, fault: Fault, after: Instant, until: Instant) -> tuple[Past, ...]:
        """Less is asked for where it was too much; anything else is asked again after a longer pause, or given up."""
        self._fault = f"what was missed since {format_instant(after)} cannot be read yet: {fault.detail}"
        if is_too_much(fault) and self._chunk > LEAST:
            self._most = self._chunk = max(self._chunk // 2, LEAST)
            return ()
        self._attempts += 1
        if self._failing_since is None:
            self._failing_since = now
        if now - self._failing_since < PATIENCE or self._attempts < ATTEMPTS:
            self._pause = min(max(2 * self._pause, SECOND), LONGEST_PAUSE)
            self._not_before = now + self._pause
            return ()
        if until - after > PIECE:
            self._chunk = PIECE
            return ()
        first = after if self._given_up is None else self._given_up[0]
        self._given_up, self._told_until = (first, until), now + DAY
        return (Past(after=after, until=until, batches=()),)
