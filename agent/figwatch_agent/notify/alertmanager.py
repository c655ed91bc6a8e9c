"""A page as an Alertmanager takes it.

- The labels are the alert. They are drawn from the page that opened the group and kept with its outbox row: neither a
  text that changes, nor an alert that joins the incident, nor an upgrade of figwatch makes another alert of it.
- The severity belongs to the group. A ticket that becomes a page is a second alert, with ``severity="page"``.
- An open alert is good for four times the pause between two resends, as Prometheus does it: one whose sender is gone
  ends by itself, and three lost requests end nothing.
- An Alertmanager tells nobody of new words. What asks for a person (a rollback that did not help, one that waits for a
  word) is therefore an alert of its own beside the first, with the label ``asks``.
- A page that was over before it could be sent, and a test, has ``severity="info"`` and ends after a few minutes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from figwatch_agent.durations import MINUTE, Duration, Instant, format_instant
from figwatch_agent.model.alertmanager import ASKS, Identity, Standing
from figwatch_agent.model.external import OWN_LABEL
from figwatch_agent.model.incident import Alert, Incident, IncidentKind, RollbackVerdict
from figwatch_agent.model.journal import Delivery
from figwatch_agent.model.names import AlertName, Severity
from figwatch_agent.model.page import Page, PageKind
from figwatch_agent.notify.facts import SIGNAL
from figwatch_agent.notify.judgement import asks_for_a_person
from figwatch_agent.notify.keys import wire_key
from figwatch_agent.notify.message import Message, message_for
from figwatch_agent.notify.words import fit, one_line

GOOD_FOR: Final = 4
"""Resends for which an open alert is good (Prometheus, rules/manager.go)."""
INFORMED_FOR: Final[Duration] = 5 * MINUTE
"""Longer than the first pause of a group of alerts (``group_wait``, 30 s unless told otherwise)."""
TEST: Final = "FigwatchTest"
INFORMATION: Final = "info"

_LABEL_LIMIT: Final = 200
_TEXT_LIMIT: Final = 4000
_EXTERNAL: Final = "external"
_ON_A_ROUTE: Final = frozenset({IncidentKind.ROUTE, IncidentKind.TRAFFIC})
_NOT_HELPED: Final = {
    RollbackVerdict.INEFFECTIVE: AlertName.ROLLBACK_INEFFECTIVE,
    RollbackVerdict.UNVERIFIED: AlertName.ROLLBACK_UNVERIFIED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The alerts of one group with the words of its newest page."""

    group: str
    standing: Standing
    annotations: Mapping[str, str]
    url: str  # where the incident is shown; "" where nobody said how the agent is reached

    def documents(self, good_until: Instant) -> list[dict[str, object]]:
        """As they are posted; those that are open are good until then."""
        ends_at = good_until if self.standing.ended_at is None else self.standing.ended_at
        return [_document(each, self, ends_at) for each in self.standing.alerts]


def entry_of(delivery: Delivery, known: Standing | None, labels: Iterable[tuple[str, str]]) -> Entry:
    """What stands for the delivery's group once it has been told; ``known`` is what stood before."""
    page = delivery.row.page
    own = known.alerts[0] if known is not None else _identity(page, labels)
    asking = _asking(page, own, known)
    alerts: tuple[Identity, ...] = (own,) if asking is None else (own, asking)
    if page.kind is PageKind.RESOLVE and known is not None:
        alerts = known.alerts
    return _entry(delivery, Standing(alerts=alerts, ended_at=_ended_at(page)))


def recalled(delivery: Delivery, known: Standing) -> Entry:
    """What stands, with the words of the row that was sent last."""
    return _entry(delivery, known)


def retired(entry: Entry, known: Standing | None, at: Instant) -> Entry | None:
    """What the group had beside its own alert and has no longer, over since the page that says so; None for nothing."""
    gone = tuple(each for each in known.alerts if each not in entry.standing.alerts) if known is not None else ()
    if not gone or entry.standing.ended_at is not None:
        return None
    return replace(entry, standing=Standing(alerts=gone, ended_at=at))


def information_of(delivery: Delivery, labels: Iterable[tuple[str, str]]) -> Entry:
    """An alert that wakes nobody: told, and soon over."""
    page = delivery.row.page
    identity = _identity(page, labels)
    quiet = tuple((name, INFORMATION if name == "severity" else value) for name, value in identity.labels)
    return _entry(delivery, Standing(alerts=(Identity(labels=quiet, starts_at=page.at),)))


def _entry(delivery: Delivery, standing: Standing) -> Entry:
    page = delivery.row.page
    # Alertmanager says since when, and takes the same twice for one: neither lateness nor repetition is worth a word.
    message = message_for(replace(delivery, ambiguous=False), page.at)
    urls: dict[str, str] = {link.name: link.url for link in message.links}
    return Entry(
        group=page.group,
        standing=standing,
        annotations=_annotations(message, urls),
        url=urls.get("incident") or urls.get("status", ""),
    )


def _annotations(message: Message, urls: Mapping[str, str]) -> dict[str, str]:
    said = "\n".join(f"{line.label}: {text}" for line in message.lines for text in line.texts)
    texts: dict[str, str] = {
        "summary": message.title or message.tag,
        "description": said,
        "decide": "\n".join(str(step) for step in message.steps),
        "runbook_url": urls.get("runbook", ""),
        "status_url": urls.get("incident", ""),
        "dashboard_url": urls.get("status", ""),
    }
    return {name: fit(text, _TEXT_LIMIT) for name, text in texts.items() if text}


def _identity(page: Page, labels: Iterable[tuple[str, str]]) -> Identity:
    incident, leading = page.incident, _leading(page)
    found = {
        "alertname": TEST if leading is None else leading.name.value,
        OWN_LABEL: wire_key(page.group),
        "migration": incident.migration,
        "service": incident.service,
        "route": incident.route if incident.kind in _ON_A_ROUTE else "",
        **_promise(leading),
        "severity": page.severity.value,
    }
    shown = {name: value if name == OWN_LABEL else one_line(value, _LABEL_LIMIT) for name, value in found.items()}
    # An Alertmanager drops labels that are empty, and so must whoever compares.
    told = {name: value for name, value in {**dict(labels), **shown}.items() if value}
    return Identity(labels=tuple(sorted(told.items())), starts_at=incident.impact_start)


def _leading(page: Page) -> Alert | None:
    """The first alert that is as loud as the page."""
    alerts = page.incident.alerts
    return next((alert for alert in alerts if alert.severity is page.severity), alerts[0] if alerts else None)


def _promise(alert: Alert | None) -> dict[str, str]:
    if alert is None or alert.tier in (SIGNAL, _EXTERNAL):
        return {}
    return {"slo": alert.slo, "tier": alert.tier}


def _asking(page: Page, own: Identity, known: Standing | None) -> Identity | None:
    if page.severity is not Severity.PAGE or not asks_for_a_person(page):
        return None
    what, name = _asked(page.incident)
    labels = {**dict(own.labels), ASKS: what} | ({} if name is None else {"alertname": name.value})
    identity = Identity(labels=tuple(sorted(labels.items())), starts_at=max(page.at, own.starts_at))
    before = known.alerts if known is not None else ()
    return next((each for each in before if each.labels == identity.labels), identity)


def _asked(incident: Incident) -> tuple[str, AlertName | None]:
    run = incident.rollback
    if run is None:
        return "approval", None
    if run.verdict in _NOT_HELPED:
        return run.verdict.value, _NOT_HELPED[run.verdict]
    return run.state.value, AlertName.ROLLBACK_NEEDS_HUMAN


def _ended_at(page: Page) -> Instant | None:
    return (page.incident.resolved_at or page.at) if page.kind is PageKind.RESOLVE else None


def _document(identity: Identity, entry: Entry, ends_at: Instant) -> dict[str, object]:
    document: dict[str, object] = {
        "labels": dict(identity.labels),
        "annotations": dict(entry.annotations),
        "startsAt": format_instant(identity.starts_at),
        # An end before the start is refused, whatever a clock was set to in between.
        "endsAt": format_instant(max(ends_at, identity.starts_at)),
    }
    return {**document, "generatorURL": entry.url} if entry.url else document
