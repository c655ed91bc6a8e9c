"""What becomes of one export request, whatever protocol carries it, by the rules of the OTLP specification."""

from typing import Final, NamedTuple, Protocol

UNREACHABLE: Final = "unreachable"
"""Nobody listens, or nobody answered in time: may be tried again."""
BUSY: Final = "busy"
"""The collector asks to try again later."""
REFUSED: Final = "refused"
"""The collector will never take it."""
PARTIAL: Final = "partial"
"""The collector took it, but not all of it."""
REASONS: Final = (UNREACHABLE, BUSY, REFUSED, PARTIAL)


class Delivery(NamedTuple):
    """How one request ended."""

    reason: str = ""  # empty for one that was taken as a whole
    rejected: int = 0  # spans or data points that were not taken, of a request that was
    wait: float | None = None  # seconds that the collector asks for before another attempt
    message: str = ""  # the collector's or the system's words, for the log

    @property
    def again(self) -> bool:
        """Whether the same request may be sent again."""
        return self.reason in (UNREACHABLE, BUSY)


class Transport(Protocol):
    """Sends requests to one destination. Used by one thread; opens nothing before the first request."""

    def send(self, body: bytes, timeout: float) -> Delivery:
        """Send one encoded request, within about `timeout` seconds; never raises for what a collector does."""

    def close(self) -> None:
        """Let connections go."""
