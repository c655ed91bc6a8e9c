"""What SLOs written in PromQL counted while their engine could not be asked: computed by it later, step by step."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from figwatch_agent.durations import DAY, MINUTE, SECOND, Duration, Instant, format_instant
from figwatch_agent.model.batch import Counted
from figwatch_agent.sources.estimates import Estimates, MissedLooks
from figwatch_agent.sources.fault import Fault, first_fault

CHUNK: Final[Duration] = 20 * MINUTE
"""Asked for in one look beside what is new."""

LONGEST_PAUSE: Final[Duration] = 10 * MINUTE

GIVEN_UP: Final[Duration] = DAY
"""What could not be read for so long stays unknown."""

Range = Callable[[str, Instant, Instant, Duration], Awaitable[Any]]
"""The data of a range answer: query, first and last instant, step."""


class EstimatesBackfill:
    """Asks for at most one chunk a look, the oldest first."""

    def __init__(self, estimates: Estimates, step: Duration, settle: Duration) -> None:
        """``step``: the time between two looks. ``settle``: how old what is missing must be."""
        self._estimates = estimates
        self._step = step
        self._settle = settle
        self._pause: Duration = 0
        self._not_before: Instant = 0
        self.fault = ""
        """For people: why what was missed cannot be read; "" where it can."""

    async def read(self, now: Instant, ask: Range) -> tuple[Counted, ...]:
        """Events of the oldest chunk, each step at its instant; nothing where none is missing or can be read now."""
        missed = self._estimates.missed
        while missed and missed[0].until < now - GIVEN_UP:
            missed.pop(0)
        if not missed:
            self.fault = ""
        if not missed or missed[0].until > now - self._settle or now < self._not_before:
            return ()
        after, until, known_to = missed[0]
        length = min(self._step, until - after)
        ats = range(after + length, min(after + max(CHUNK, length), until) + 1, length)
        try:
            answers = [await ask(text, ats[0], ats[-1], length) for text in self._estimates.texts_of(length)]
            counted = self._estimates.counted_then(answers, ats, length, known_to)
        except (Fault, TimeoutError) as error:
            self._pause = min(max(2 * self._pause, SECOND), LONGEST_PAUSE)
            self._not_before = now + self._pause
            detail = first_fault(error).detail
            self.fault = f"PromQL of SLOs since {format_instant(after)} cannot be read yet: {detail}"
            return ()
        self._pause, self.fault = 0, ""
        missed[:1] = [MissedLooks(ats[-1], until, known_to)] if ats[-1] < until else []
        return counted
