"""How fast a receiver may be spoken to."""

from typing import Final

from figwatch_agent.durations import SECOND, Duration, Instant
from figwatch_agent.model.journal import DeliveryResult
from figwatch_agent.model.settings import PagerDuty, Receiver, Slack, SlackBot
from figwatch_agent.notify.retry_after import capped

SPACING: Final[dict[type, Duration]] = {
    PagerDuty: SECOND // 2,  # about 120 events a minute for each integration key (Events API v2, rate limits)
    Slack: SECOND,  # one message a second for each webhook (Slack, rate limits)
    SlackBot: SECOND,  # and for each channel
}


class Pace:
    """When the next attempt at one receiver may begin."""

    def __init__(self, receiver: Receiver) -> None:
        self._spacing = SPACING.get(type(receiver.kind), 0)
        self._next: Instant = 0

    def hold_for(self, now: Instant) -> Duration:
        """Milliseconds to wait from ``now``."""
        return max(self._next - now, 0)

    def began(self, now: Instant) -> None:
        """An attempt begins."""
        self._next = max(self._next, now + self._spacing)

    def ended(self, now: Instant, result: DeliveryResult) -> None:
        """What the receiver asked for holds for everything that is meant for it, not for one row alone."""
        if result.retry_after is not None:
            self._next = max(self._next, now + capped(result.retry_after))
