"""The notifier of every receiver that takes JSON by POST; what differs is how a delivery is written."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import aiohttp

from figwatch_agent.clock import Clock
from figwatch_agent.durations import Instant
from figwatch_agent.errors import SecretUnreadable
from figwatch_agent.model.journal import Delivery, DeliveryResult, DeliveryResultKind
from figwatch_agent.model.secret import ReadSecret
from figwatch_agent.notify.classify import unreadable
from figwatch_agent.notify.post import post
from figwatch_agent.notify.secrecy import masking


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """One delivery as a receiver takes it."""

    url: str = field(repr=False)
    body: bytes = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)  # struck out of what the receiver answers
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    message_id: str = ""  # by which the receiver knows the message, where that is known before sending


Write = Callable[[Delivery, Instant, ReadSecret], Letter]
"""Writes the letter of a delivery at an instant; raises SecretUnreadable."""


class PostNotifier:
    """ports.Notifier of one receiver. It reads secrets when it sends, so that a rotated key works at once."""

    def __init__(self, write: Write, session: aiohttp.ClientSession, read_secret: ReadSecret, clock: Clock) -> None:
        self._write = write
        self._session = session
        self._read_secret = read_secret
        self._clock = clock

    async def deliver(self, delivery: Delivery) -> DeliveryResult:
        """One letter, sent once."""
        try:
            letter = self._write(delivery, self._clock.now(), self._read_secret)
        except SecretUnreadable as error:
            return unreadable(str(error))
        result = await post(
            self._session,
            letter.url,
            letter.body,
            now=self._clock.now,
            mask=masking(letter.secrets),
            headers=letter.headers,
        )
        if result.kind is not DeliveryResultKind.ACCEPTED:
            return result
        return DeliveryResult(kind=result.kind, message_id=letter.message_id)

    async def close(self) -> None:
        """The session belongs to whoever opened it."""
