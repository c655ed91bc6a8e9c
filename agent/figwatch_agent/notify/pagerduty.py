"""PagerDuty, Events API v2.

- trigger and resolve carry the page's group as ``dedup_key``: the same attempt twice is one alert.
- An update is a trigger with the same key. PagerDuty keeps the first summary and logs the new one on the alert.
- An information has severity ``info`` under the same key, so that the resolve queued behind it closes it; the test
  message of `figwatch notify test` has a group of its own and stays open until a person closes it.
"""

from typing import Final

import aiohttp

from figwatch_agent.clock import Clock
from figwatch_agent.model.journal import Delivery, DeliveryResult, DeliveryResultKind
from figwatch_agent.model.names import Severity
from figwatch_agent.model.page import Page, PageKind
from figwatch_agent.model.settings import PagerDuty
from figwatch_agent.notify.classify import unreadable
from figwatch_agent.notify.keys import wire_key
from figwatch_agent.notify.message import Message, message_for
from figwatch_agent.notify.post import encode, post
from figwatch_agent.notify.secrecy import ReadSecret, SecretUnreadable, masking, resolve
from figwatch_agent.notify.words import fit, one_line

SUMMARY_LIMIT: Final = 1024
_FIELD_LIMIT: Final = 255
_SEVERITIES: Final = {Severity.PAGE: "critical", Severity.TICKET: "warning"}


class PagerDutyNotifier:
    """Speaks to one PagerDuty service."""

    def __init__(
        self, settings: PagerDuty, session: aiohttp.ClientSession, read_secret: ReadSecret, clock: Clock
    ) -> None:
        self._settings = settings
        self._session = session
        self._read_secret = read_secret
        self._clock = clock

    async def deliver(self, delivery: Delivery) -> DeliveryResult:
        """One event; the receiver deduplicates it by the page's group."""
        try:
            routing_key = resolve(self._settings.routing_key, self._read_secret)
        except SecretUnreadable as error:
            return unreadable(str(error))
        document = event(delivery, message_for(delivery, self._clock.now()), routing_key)
        result = await post(
            self._session, self._settings.url, encode(document), now=self._clock.now, mask=masking([routing_key])
        )
        if result.kind is not DeliveryResultKind.ACCEPTED:
            return result
        return DeliveryResult(kind=result.kind, message_id=str(document["dedup_key"]))

    async def close(self) -> None:
        """The session belongs to whoever opened it."""


def event(delivery: Delivery, message: Message, routing_key: str) -> dict[str, object]:
    """The document of one event."""
    page = delivery.row.page
    head: dict[str, object] = {"routing_key": routing_key, "dedup_key": wire_key(page.group)}
    if page.kind is PageKind.RESOLVE:
        return {**head, "event_action": "resolve"}
    return {
        **head,
        "event_action": "trigger",
        "client": "figwatch",
        "payload": _payload(page, message),
        "links": [{"href": link.url, "text": link.text} for link in message.links],
    }


def _payload(page: Page, message: Message) -> dict[str, object]:
    incident = page.incident
    # A trigger's summary is what a phone reads aloud: the bare title. Everything else says first what it is.
    summary = message.title if page.kind is PageKind.TRIGGER else message.subject
    return {
        "summary": fit(summary, SUMMARY_LIMIT - 1) or message.tag,
        "severity": "info" if page.kind is PageKind.INFORMATION else _SEVERITIES[page.severity],
        "source": one_line(incident.route or incident.service, _FIELD_LIMIT) or "figwatch",
        "component": one_line(incident.service, _FIELD_LIMIT),
        "group": one_line(incident.migration, _FIELD_LIMIT),
        "class": incident.alerts[0].name.value if incident.alerts else incident.kind.value,
        "custom_details": {line.label: "\n".join(line.texts) for line in message.lines},
    }
