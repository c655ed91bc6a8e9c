"""How long to wait before the next attempt: exponential with full jitter, so that receivers are not hit in step."""

from random import Random
from typing import Final

from figwatch_agent.durations import MINUTE, SECOND, Duration
from figwatch_agent.notify.retry_after import capped

BASE: Final[Duration] = SECOND
CEILING: Final[Duration] = 5 * MINUTE
_MOST_DOUBLINGS: Final = 16


def next_wait(attempts: int, retry_after: Duration | None, random: Random) -> Duration:
    """Milliseconds to wait after ``attempts`` attempts; never less than what the receiver asked for, as far as granted.

    Full jitter draws from the whole of 0 to the ceiling (Marc Brooker, "Exponential Backoff And Jitter", AWS 2015).
    """
    doublings = min(max(attempts - 1, 0), _MOST_DOUBLINGS)
    ceiling = min(CEILING, BASE << doublings)
    return max(random.randint(0, ceiling), capped(retry_after))
