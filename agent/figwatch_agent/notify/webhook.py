"""A plain webhook: one JSON document, signed.

``X-Figwatch-Id`` is the same on every retry, so the other side can drop repetitions. ``X-Figwatch-Signature`` is
``v1=`` and the hex HMAC-SHA256 of ``<timestamp>.<id>.<raw body>``; ``X-Figwatch-Timestamp`` is the time of the attempt
in seconds since the epoch.
"""

import hashlib
import hmac
from typing import Final

from figwatch_agent.durations import SECOND, Instant
from figwatch_agent.model.journal import Delivery
from figwatch_agent.model.secret import ReadSecret, resolved
from figwatch_agent.model.settings import Webhook
from figwatch_agent.notify.document import document
from figwatch_agent.notify.keys import wire_key
from figwatch_agent.notify.message import message_for
from figwatch_agent.notify.notifier import Letter
from figwatch_agent.notify.post import encode

ID: Final = "X-Figwatch-Id"
TIMESTAMP: Final = "X-Figwatch-Timestamp"
SIGNATURE: Final = "X-Figwatch-Signature"


def letter(settings: Webhook, delivery: Delivery, now: Instant, read_secret: ReadSecret) -> Letter:
    """One document; the other side can deduplicate it by its id."""
    url = resolved(settings.url, read_secret)
    secret = None if settings.secret is None else resolved(settings.secret, read_secret)
    body = encode(document(delivery, message_for(delivery, now)))
    return Letter(
        url=url,
        body=body,
        secrets=(url,) if secret is None else (url, secret),
        headers=signed(body, wire_key(delivery.row.id), now, secret),
    )


def signed(body: bytes, identity: str, now: Instant, secret: str | None) -> dict[str, str]:
    """The headers of one attempt; without a secret there is no signature."""
    timestamp = str(now // SECOND)
    headers = {ID: identity, TIMESTAMP: timestamp}
    if secret is not None:
        text = f"{timestamp}.{identity}.".encode("ascii") + body
        headers[SIGNATURE] = "v1=" + hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()
    return headers
