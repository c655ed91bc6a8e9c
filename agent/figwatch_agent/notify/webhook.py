"""A plain webhook: one JSON document, signed.

``X-Figwatch-Id`` is the same on every retry, so the other side can drop repetitions. ``X-Figwatch-Signature`` is
``v1=`` and the hex HMAC-SHA256 of ``<timestamp>.<id>.<raw body>``; ``X-Figwatch-Timestamp`` is the time of the attempt
in seconds since the epoch.
"""

import hashlib
import hmac
from typing import Final

import aiohttp

from figwatch_agent.clock import Clock
from figwatch_agent.durations import SECOND, Instant
from figwatch_agent.model.journal import Delivery, DeliveryResult
from figwatch_agent.model.settings import Webhook
from figwatch_agent.notify.classify import unreadable
from figwatch_agent.notify.document import document
from figwatch_agent.notify.keys import wire_key
from figwatch_agent.notify.message import message_for
from figwatch_agent.notify.post import encode, post
from figwatch_agent.notify.secrecy import ReadSecret, SecretUnreadable, masking, resolve

ID: Final = "X-Figwatch-Id"
TIMESTAMP: Final = "X-Figwatch-Timestamp"
SIGNATURE: Final = "X-Figwatch-Signature"


class WebhookNotifier:
    """Speaks to one URL."""

    def __init__(
        self, settings: Webhook, session: aiohttp.ClientSession, read_secret: ReadSecret, clock: Clock
    ) -> None:
        self._settings = settings
        self._session = session
        self._read_secret = read_secret
        self._clock = clock

    async def deliver(self, delivery: Delivery) -> DeliveryResult:
        """One document; the other side can deduplicate it by its id."""
        try:
            url = resolve(self._settings.url, self._read_secret)
            secret = None if self._settings.secret is None else resolve(self._settings.secret, self._read_secret)
        except SecretUnreadable as error:
            return unreadable(str(error))
        now = self._clock.now()
        body = encode(document(delivery, message_for(delivery, now)))
        headers = signed(body, wire_key(delivery.row.id), now, secret)
        mask = masking([url] if secret is None else [url, secret])
        return await post(self._session, url, body, now=self._clock.now, mask=mask, headers=headers)

    async def close(self) -> None:
        """The session belongs to whoever opened it."""


def signed(body: bytes, identity: str, now: Instant, secret: str | None) -> dict[str, str]:
    """The headers of one attempt; without a secret there is no signature."""
    timestamp = str(now // SECOND)
    headers = {ID: identity, TIMESTAMP: timestamp}
    if secret is not None:
        text = f"{timestamp}.{identity}.".encode("ascii") + body
        headers[SIGNATURE] = "v1=" + hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()
    return headers
