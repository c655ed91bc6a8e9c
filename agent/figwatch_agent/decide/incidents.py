"""Stages of an incident: how it opens, takes alerts in, and ends. Every function gives the incident that follows."""

import base64
import hashlib
from dataclasses import replace

from figwatch_agent.durations import Instant
from figwatch_agent.model.effect import RollbackState
from figwatch_agent.model.incident import Alert, Incident, IncidentKind, RollbackVerdict
from figwatch_agent.model.names import AlertName, Severity

ROLLBACK_ALERTS = frozenset(
    {AlertName.ROLLBACK_INEFFECTIVE, AlertName.ROLLBACK_UNVERIFIED, AlertName.ROLLBACK_NEEDS_HUMAN}
)
"""Alerts about a rollback; they end with the incident, and RollbackNeedsHuman only by a person's word."""

NOT_COUNTED = ROLLBACK_ALERTS | {AlertName.EXTERNAL_ALERT}
"""Alerts that rest on no counts of ours: no rollback is ever weighed for them."""


def incident_id(migration: str, kind: IncidentKind, subject: str, detected_at: Instant) -> str:
    """Derived from what it is about and when it was seen: short enough to be read out on the phone."""
    digest = hashlib.sha256(f"{migration}\n{kind.value}\n{subject}\n{detected_at}".encode()).digest()
    return "inc-" + base64.b32encode(digest)[:8].decode("ascii").lower()


def opened(migration: str, service: str, kind: IncidentKind, subject: str, alert: Alert) -> Incident:
    """A new incident with its first alert."""
    return Incident(
        id=incident_id(migration, kind, subject, alert.fired_at),
        kind=kind,
        migration=migration,
        service=service,
        route=subject,
        severity=alert.severity,
        impact_start=alert.impact_start,
        detected_at=alert.fired_at,
        alerts=(alert,),
    )


def joined(incident: Incident, alert: Alert) -> Incident:
    """With one more alert; a page makes the incident a page, and an earlier impact moves its start.

    What another system tells has a clock of its own: from the first alert that rests on our counts, they alone say when
    it began, was detected and ended.
    """
    paging = alert.severity is Severity.PAGE
    taken = replace(
        incident,
        alerts=(*incident.alerts, alert),
        severity=Severity.PAGE if paging else incident.severity,
    )
    if alert.name in ROLLBACK_ALERTS or (alert.name is AlertName.EXTERNAL_ALERT and counted(incident)):
        return taken
    if alert.name is not AlertName.EXTERNAL_ALERT and not counted(incident):
        began, seen = alert.impact_start, alert.fired_at
        return replace(taken, impact_start=began, detected_at=seen, mitigated_at=None, last_bad=None)
    return replace(taken, impact_start=min(incident.impact_start, alert.impact_start), mitigated_at=None)


def counted(incident: Incident) -> bool:
    """Whether an alert of it, firing or over, rests on counts of ours."""
    return any(alert.name not in NOT_COUNTED for alert in incident.alerts)


def timed(incident: Incident) -> bool:
    """Whether its times are figures: it rests on counts of ours, and figwatch itself found reason to page."""
    pages = (alert for alert in incident.alerts if alert.severity is Severity.PAGE)
    return counted(incident) and any(alert.name is not AlertName.EXTERNAL_ALERT for alert in pages)


def with_resolved(incident: Incident, alert: Alert, last_bad: Instant | None) -> Incident:
    """With one alert ended and the end of its last bad tick, which another system does not tell for our counts."""
    alerts = tuple(alert if known.id == alert.id else known for known in incident.alerts)
    told = alert.name is AlertName.EXTERNAL_ALERT and counted(incident)
    return bad_until(replace(incident, alerts=alerts), None if told else last_bad)


def bad_until(incident: Incident, last_bad: Instant | None) -> Incident:
    """With a later end of the last bad tick."""
    if last_bad is None or (incident.last_bad is not None and last_bad <= incident.last_bad):
        return incident
    return replace(incident, last_bad=last_bad)


def firing(incident: Incident) -> tuple[Alert, ...]:
    """Its alerts that fire now."""
    return tuple(alert for alert in incident.alerts if alert.resolved_at is None)


def paging(incident: Incident) -> tuple[Alert, ...]:
    """Page tiers of the SLI itself that fire now; alerts about a rollback, or of others, are no reason for one."""
    return tuple(
        alert for alert in firing(incident) if alert.severity is Severity.PAGE and alert.name not in NOT_COUNTED
    )


def mitigated(incident: Incident) -> Incident:
    """Once no alert of the SLI fires any more: the impact ended with its last bad tick.

    Where no alert rests on counts of ours, those of other systems say so.
    """
    silent = NOT_COUNTED if counted(incident) else ROLLBACK_ALERTS
    if incident.mitigated_at is not None or any(a.name not in silent for a in firing(incident)):
        return incident
    return replace(incident, mitigated_at=max(incident.last_bad or incident.detected_at, incident.impact_start))


def may_resolve(incident: Incident) -> bool:
    """Whether the data have nothing more to say: alerts ended, and a rollback was verified or came to its end."""
    if any(alert.name is AlertName.ROLLBACK_NEEDS_HUMAN for alert in firing(incident)):
        return False
    if any(alert.name not in ROLLBACK_ALERTS for alert in firing(incident)):
        return False
    run = incident.rollback
    if run is None:
        return True
    return run.state.final and (run.state is not RollbackState.DONE or run.verdict is not RollbackVerdict.PENDING)


def resolved(incident: Incident, now: Instant, by: str = "") -> Incident:
    """Ended by the data, or by a person."""
    alerts = tuple(replace(alert, resolved_at=alert.resolved_at or now) for alert in incident.alerts)
    done = mitigated(replace(incident, alerts=alerts))
    return replace(done, resolved_at=now, resolved_by=by)


def rollback_alert(incident: Incident, name: AlertName, now: Instant) -> Alert:
    """An alert about a rollback, as part of its incident."""
    return Alert(
        id=f"{incident.id} {name.value}",
        name=name,
        slo="",
        route=incident.route,
        tier="rollback",
        lane="all",
        severity=Severity.PAGE,
        fired_at=now,
        impact_start=incident.impact_start,
        certified=True,
        bad=0,
        total=0,
        burn_rate=None,
    )


def looked_after(incident: Incident, now: Instant) -> Incident:
    """A person has looked: what waited for one does not keep the incident open any more."""
    alerts = tuple(
        replace(alert, resolved_at=now)
        if alert.name is AlertName.ROLLBACK_NEEDS_HUMAN and alert.resolved_at is None
        else alert
        for alert in incident.alerts
    )
    return replace(incident, alerts=alerts)
