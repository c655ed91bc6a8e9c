"""How a receiver can go wrong, as a queue of orders for each of its paths."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

PATHS: Final = ("pagerduty", "slack", "slack_api", "webhook")
STATUSES: Final = ("400", "429", "500", "503")
ACTS: Final = (*STATUSES, "hang", "drop_reply", "slow", "reset", "not_ok", "garbage", "behave")
"""hang: never answers; drop_reply: accepts, then closes without a word; slow: answers late; reset: breaks off before it
has read anything; not_ok: answers 200 and ``{"ok": false}`` with the word given as ``error``; garbage: accepts, then
answers 200 with what is given as ``error``; behave: nothing, so that a later request can be meant."""
SLOW_MS: Final = 2000
TIMES_LIMIT: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Misbehaviour:
    """One way to treat one request."""

    act: str  # one of ACTS
    retry_after: str | None = None  # sent as it stands, so that garbage can be tried as well
    delay: int = SLOW_MS  # milliseconds, for slow
    error: str = ""  # the word or the text that is answered


class Misbehaviours:
    """What each path will do wrong next; an empty queue means that it behaves."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[Misbehaviour]] = {path: deque() for path in PATHS}

    def order(self, document: object) -> None:
        """Queue what the document asks for; ``times: 0`` forgets what is queued.

        Raises ValueError, naming the field and the values it may have.
        """
        if not isinstance(document, dict):
            raise ValueError("the body must be a JSON object with path, do and times")
        path = _one_of(document, "path", PATHS)
        times = document.get("times", 1)
        if not isinstance(times, int) or not 0 <= times <= TIMES_LIMIT:
            raise ValueError(f"times must be a whole number from 0 to {TIMES_LIMIT}, not {times!r}")
        if times == 0:
            self._queues[path].clear()
            return
        self._queues[path].extend([_misbehaviour(document)] * times)

    def next(self, path: str) -> Misbehaviour | None:
        """Take the next order of this path, if there is one."""
        queue = self._queues[path]
        return queue.popleft() if queue else None


def _misbehaviour(document: Mapping[str, object]) -> Misbehaviour:
    retry_after, delay = document.get("retry_after"), document.get("delay_ms", SLOW_MS)
    if not isinstance(delay, int) or delay < 0:
        raise ValueError(f"delay_ms must be a whole number of milliseconds, not {delay!r}")
    return Misbehaviour(
        act=_one_of(document, "do", ACTS),
        retry_after=None if retry_after is None else str(retry_after),
        delay=delay,
        error=str(document.get("error") or ""),
    )


def _one_of(document: Mapping[str, object], name: str, allowed: tuple[str, ...]) -> str:
    value = document.get(name)
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}, not {value!r}")
    return str(value)
