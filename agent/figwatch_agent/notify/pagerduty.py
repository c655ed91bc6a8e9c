"""PagerDuty, Events API v2.

- trigger and resolve carry the page's group as ``dedup_key``: the same attempt twice is one alert.
- An update is a trigger with the same key. PagerDuty keeps the first summary and logs the new one on the alert.
- An information has severity ``info`` under the same key, so that the resolve queued behind it closes it; the test
  message of `figwatch notify test` has a group of its own and stays open until a person closes it.
"""

from typing import Final

from figwatch_agent.durations import Instant
from figwatch_agent.model.journal import Delivery
from figwatch_agent.model.names import Severity
from figwatch_agent.model.page import Page, PageKind
from figwatch_agent.model.secret import ReadSecret, resolved
from figwatch_agent.model.settings import PagerDuty
from figwatch_agent.notify.keys import wire_key
from figwatch_agent.notify.message import Message, message_for
from figwatch_agent.notify.notifier import Letter
from figwatch_agent.notify.post import encode
from figwatch_agent.notify.words import fit, one_line

SUMMARY_LIMIT: Final = 1024
_FIELD_LIMIT: Final = 255
_SEVERITIES: Final = {Severity.PAGE: "critical", Severity.TICKET: "warning"}


def letter(settings: PagerDuty, delivery: Delivery, now: Instant, read_secret: ReadSecret) -> Letter:
    """One event; the receiver deduplicates it by the page's group."""
    routing_key = resolved(settings.routing_key, read_secret)
    return Letter(
        url=settings.url,
        body=encode(event(delivery, message_for(delivery, now), routing_key)),
        secrets=(routing_key,),
        message_id=wire_key(delivery.row.page.group),
    )


def event(delivery: Delivery, message: Message, routing_key: str) -> dict[str, object]:
    """The document of one event."""
    page = delivery.row.page
    head: dict[str, object] = {"routing_key": routing_key, "dedup_key": wire_key(page.group)}
    if page.kind is PageKind.RESOLVE:
        return {**head, "event_action": "resolve"}
    incident_url = next((link.url for link in message.links if link.name == "incident"), None)
    return {
        **head,
        "event_action": "trigger",
        "client": "figwatch",
        **({} if incident_url is None else {"client_url": incident_url}),
        "payload": _payload(page, message),
        "links": [{"href": link.url, "text": link.text} for link in message.links],
    }


def details(message: Message) -> dict[str, object]:
    """custom_details: what figwatch does first, then the figures one by one, then what one reads next."""
    told: dict[str, object] = {"What figwatch does": message.does} if message.does else {}
    lists = (
        ("Note", message.notes),
        ("What broke", message.broke),
        ("Why", message.why),
        ("What you can do", tuple(str(step) for step in message.steps)),
        ("Stages", message.stages),
    )
    if message.whom:
        told["For whom"] = message.whom[0]
    told |= {figure.label: figure.text for figure in message.figures}
    return told | {label: list(texts) for label, texts in lists if texts}


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
        "custom_details": details(message),
    }
