"""A label whose values come from outside: so many are let through, the rest is one value."""

import threading
from collections.abc import Callable


class Bounded:
    """Lets the first `cap` distinct values through; further ones become `other`, and are reported."""

    def __init__(self, cap: int, other: str, folded: Callable[[], None]) -> None:
        """`folded` is called whenever a value is replaced."""
        self._cap = cap
        self._other = other
        self._folded = folded
        self._known: set[str] = set()
        self._lock = threading.Lock()

    def __call__(self, value: str) -> str:
        """The value, or `other`."""
        if value in self._known:
            return value
        with self._lock:
            if len(self._known) < self._cap:
                self._known.add(value)
                return value
        self._folded()
        return self._other
