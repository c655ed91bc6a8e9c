"""Alerts of other systems: they open an incident or join one, and never decide about a rollback."""

from dataclasses import replace

from figwatch_agent.durations import Instant
from figwatch_agent.engine.casework import Casework
from figwatch_agent.engine.catalog import Catalog
from figwatch_agent.engine.desk import Desk, Notes
from figwatch_agent.model.command import Command
from figwatch_agent.model.external import ExternalAlert, alert_of
from figwatch_agent.model.incident import Alert, IncidentKind
from figwatch_agent.model.names import AlertName
from figwatch_agent.model.outcome import TransitionKind


class External:
    """Takes alerts of an Alertmanager into incidents; the same alert again changes nothing."""

    def __init__(self, catalog: Catalog, desk: Desk, casework: Casework) -> None:
        self._catalog = catalog
        self._desk = desk
        self._casework = casework

    def take(self, command: Command, now: Instant, notes: Notes) -> str:
        """Carry one out; gives "" or the reason of its refusal."""
        try:
            alert = alert_of(dict(command.data))
        except ValueError as error:
            return str(error)
        if alert.truncated:
            _find_cut(alert, now, notes)
        known = self._known(alert.id)
        if alert.firing and known is None:
            self._open(alert, now, notes)
        if not alert.firing and known is not None and known.resolved_at is None:
            # What another clock says is taken for what it tells, and never for the future.
            ended = min(max(alert.ends_at or now, known.impact_start), now)
            self._casework.resolved(replace(known, resolved_at=now), ended, now, notes)
        return ""

    def _open(self, alert: ExternalAlert, now: Instant, notes: Notes) -> None:
        kind, subject = self._subject(alert)
        joining = Alert(
            id=alert.id,
            name=AlertName.EXTERNAL_ALERT,
            slo=alert.name,
            route=subject if kind is IncidentKind.ROUTE else "",
            tier="external",
            lane="all",
            severity=alert.severity,
            fired_at=now,
            impact_start=min(alert.starts_at, now),
            certified=False,  # nothing of it was counted here
            bad=0,
            total=0,
            burn_rate=None,
        )
        self._casework.join(kind, subject, self._service(alert), joining, now, notes)

    def _subject(self, alert: ExternalAlert) -> tuple[IncidentKind, str]:
        """The route or SLO that its labels name, so that it joins what is open there; else its own name."""
        if alert.route and self._catalog.route(alert.route) is not None:
            return IncidentKind.ROUTE, alert.route
        for stream in self._catalog.streams:
            if stream.slo.name == alert.slo:
                kind = IncidentKind.UPTIME if stream.probed else IncidentKind.ROUTE
                return kind, alert.slo if stream.probed else stream.route or alert.slo
        return IncidentKind.EXTERNAL, alert.name

    def _service(self, alert: ExternalAlert) -> str:
        route = self._catalog.route(alert.route)
        return alert.service if route is None else route.service.service

    def _known(self, id_: str) -> Alert | None:
        incidents = [*(case.incident for case in self._desk.cases.values()), *self._desk.closed]
        return next((alert for incident in incidents for alert in incident.alerts if alert.id == id_), None)


def _find_cut(alert: ExternalAlert, now: Instant, notes: Notes) -> None:
    """Say once a tick that a group came incomplete; every alert of it carries how many it lacks."""
    subject = f"alertmanager {alert.receiver}"
    text = f"Alertmanager left {alert.truncated} alerts out: raise max_alerts of its receiver, or group by more labels"
    said = ((each.kind, each.subject, each.text) for each in notes.transitions)
    if (TransitionKind.FINDING, subject, text) not in said:
        notes.note(now, TransitionKind.FINDING, subject, text)
