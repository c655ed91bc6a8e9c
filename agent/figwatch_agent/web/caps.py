"""How much one address may ask: buckets of tokens in bounded memory."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from figwatch_agent.durations import MILLISECOND, SECOND, Duration, Instant

MOST_ADDRESSES: Final = 4096
"""Remembered at one time, some 500 kB; the one that asked longest ago is forgotten first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """So many at once, and then one every so often."""

    burst: int
    every: Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """What one address may do. The figures leave room for a team behind one address and stop what is no person."""

    requests: Cap = Cap(burst=1000, every=10 * MILLISECOND)  # of any kind; 100 a second
    changes: Cap = Cap(burst=100, every=SECOND // 5)  # POSTs
    failures: Cap = Cap(burst=5, every=30 * SECOND)  # sign-ins that failed: some 2,900 guesses a day


class Buckets:
    """One bucket per address.

    A bucket is one instant: when it would be full again. That instant moves by ``every`` with each request, and may
    lie at most ``burst`` of them ahead.
    """

    def __init__(self, cap: Cap, most: int = MOST_ADDRESSES) -> None:
        self._cap = cap
        self._most = most
        self._full_at: OrderedDict[str, Instant] = OrderedDict()

    def wait(self, address: str, now: Instant) -> Duration:
        """How long until one more is allowed; 0 where it is now."""
        ahead = self._full_at.get(address, now) - now
        return max(ahead - self._cap.every * (self._cap.burst - 1), 0)

    def take(self, address: str, now: Instant) -> Duration:
        """The same, and one less is left where it is allowed."""
        wait = self.wait(address, now)
        if wait == 0:
            self._full_at[address] = max(self._full_at.get(address, now), now) + self._cap.every
            self._full_at.move_to_end(address)
            if len(self._full_at) > self._most:
                self._full_at.popitem(last=False)
        return wait

    def __len__(self) -> int:
        return len(self._full_at)
