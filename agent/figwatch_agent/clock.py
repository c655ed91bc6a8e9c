"""Time, as the agent sees it: anchored to UTC at start and monotonic since.

A step of the wall clock (an operator, NTP, a virtual machine that slept) must never lengthen an incident or shorten an
outage, so it is measured and reported, and nothing is computed from it.
"""

import time
from collections.abc import Callable
from typing import Protocol

from figwatch_agent.durations import Duration, Instant

_NANOSECONDS = 1_000_000


class Clock(Protocol):
    """What anything that needs the time is handed."""

    def now(self) -> Instant:
        """Milliseconds since the epoch, never going back within one process."""

    def wall_step(self) -> Duration:
        """How far the wall clock has moved away from this clock since the start; 0 where it is steady."""


class AnchoredClock:
    """UTC read once, monotonic time added.

    ``floor`` is the last instant that an earlier process of this state knew: where the wall clock was set back in
    between, this clock goes on from the floor and says by how much it differs.
    """

    def __init__(
        self,
        wall: Callable[[], int] = time.time_ns,
        monotonic: Callable[[], int] = time.monotonic_ns,
        floor: Instant = 0,
    ) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._offset = max(wall(), (floor + 1) * _NANOSECONDS) - monotonic()

    def now(self) -> Instant:
        """Milliseconds since the epoch by the anchor."""
        return (self._monotonic() + self._offset) // _NANOSECONDS

    def wall_step(self) -> Duration:
        """Wall clock minus this clock, in milliseconds."""
        return (self._wall() - self._monotonic() - self._offset) // _NANOSECONDS


class ManualClock:
    """A clock that moves when told to; for tests, replay and simulations."""

    def __init__(self, now: Instant = 0) -> None:
        self._now = now
        self.step: Duration = 0

    def now(self) -> Instant:
        """The instant it was set to."""
        return self._now

    def wall_step(self) -> Duration:
        """The step it was given."""
        return self.step

    def advance(self, duration: Duration) -> Instant:
        """Move forward and return the new instant."""
        if duration < 0:
            raise ValueError("time does not go back")
        self._now += duration
        return self._now
