"""Alerts become incidents, and incidents end."""

from dataclasses import replace

from figwatch_agent.decide import incidents
from figwatch_agent.durations import Instant, format_duration, format_instant
from figwatch_agent.engine.cases import Case
from figwatch_agent.engine.catalog import Catalog, Watch
from figwatch_agent.engine.desk import Desk, Notes
from figwatch_agent.engine.signals import Signal
from figwatch_agent.engine.watching import Watches
from figwatch_agent.model.incident import Alert, IncidentKind
from figwatch_agent.model.names import Severity
from figwatch_agent.model.outcome import TransitionKind
from figwatch_agent.model.page import PageKind

WATCHED = frozenset({IncidentKind.ROUTE, IncidentKind.UPTIME})
"""Incidents whose alerts come from watches."""


class Casework:
    """Opens, feeds and closes cases on a desk."""

    def __init__(self, catalog: Catalog, desk: Desk, watches: Watches) -> None:
        self.catalog = catalog
        self.desk = desk
        self.watches = watches

    def fired(self, watch: Watch, alert: Alert, now: Instant, notes: Notes) -> None:
        """An alert of a watch joins its incident, or opens one."""
        kind, subject = self._subject(watch)
        self.join(kind, subject, watch.stream.service.service, alert, now, notes)

    def resolved(self, alert: Alert, last_bad: Instant | None, now: Instant, notes: Notes) -> None:
        """An alert ended."""
        notes.note(now, TransitionKind.ALERT_RESOLVED, alert.id, f"{alert.name.value} of {alert.slo} resolved")
        for case in self.desk.cases.values():
            if any(known.id == alert.id for known in case.incident.alerts):
                case.put(incidents.with_resolved(case.incident, alert, last_bad))

    def relieved(self, ended: list[Alert], now: Instant, notes: Notes) -> None:
        """Tickets of an incident end with its last page, unless they still see bad ticks.

        What rejects a page's burn rate says less about a ticket's: at two requests a second a ticket would keep the
        people who were paged waiting for half an hour. What goes on burning slowly fires it anew on new evidence.
        """
        pages = {alert.id for alert in ended if alert.severity is Severity.PAGE}
        for case in [case for case in self.desk.cases.values() if case.incident.open]:
            known = {alert.id for alert in case.incident.alerts}
            if not pages & known or incidents.paging(case.incident):
                continue
            for index in [index for index, alert in self.watches.firing.items() if alert.id in known]:
                if self.watches.quiet(index, now):
                    last = self.watches.last_impact(index)
                    self.resolved(self.watches.resolve(index, now), last, now, notes)

    def signalled(self, signals: dict[str, Signal], unknown: frozenset[str], now: Instant, notes: Notes) -> None:
        """Signals that began open a ticket; signals that ended close it; those that cannot be seen now stay."""
        for key, signal in signals.items():
            if key not in self.desk.signals:
                self.desk.signals[key] = now
                alert = signal.alert(key, now)
                self.join(signal.kind, signal.subject, signal.service, alert, now, notes)
        for key in [key for key in self.desk.signals if key not in signals and key not in unknown]:
            since = self.desk.signals.pop(key)
            for case in list(self.desk.cases.values()):
                for alert in case.incident.alerts:
                    if alert.slo == key and alert.fired_at == since and alert.resolved_at is None:
                        self.resolved(replace(alert, resolved_at=now), now, now, notes)

    def settle(self, now: Instant, notes: Notes) -> None:
        """Incidents whose impact ended, and those that are over."""
        for case in [case for case in self.desk.cases.values() if case.incident.open]:
            self._forget_unwatched(case, now, notes)
            self._note_last_bad(case)
            before = case.incident
            case.put(incidents.mitigated(before))
            if before.mitigated_at is None and case.incident.mitigated_at is not None:
                lasted = format_duration(case.incident.mitigated_at - case.incident.impact_start)
                text = f"{case.incident.route}: impact ended after {lasted}"
                notes.note(now, TransitionKind.INCIDENT_MITIGATED, case.incident.id, text)
            if incidents.may_resolve(case.incident):
                self.end(case, now, "", notes)

    def _subject(self, watch: Watch) -> tuple[IncidentKind, str]:
        if watch.stream.probed:
            return IncidentKind.UPTIME, watch.stream.slo.name
        return IncidentKind.ROUTE, watch.stream.route or watch.stream.slo.name

    def join(self, kind: IncidentKind, subject: str, service: str, alert: Alert, now: Instant, notes: Notes) -> None:
        """An alert joins what is open about its subject, or opens an incident."""
        notes.note(now, TransitionKind.ALERT_FIRED, alert.id, f"{alert.name.value} of {alert.slo} fires ({alert.tier})")
        case = self.desk.open_case(kind, subject)
        if case is not None:
            seen_now = case.told and not incidents.counted(case.incident)
            case.put(incidents.joined(case.incident, alert))
            if seen_now and incidents.counted(case.incident):  # they were told of another system's alert alone
                case.news.append(PageKind.UPDATE.value)
            return
        incident = incidents.opened(self.catalog.migration, service, kind, subject, alert)
        case = Case(incident=incident, group=incident.id, changed=True, gateway_at_start=self._gateway_now(subject))
        self.desk.cases[incident.id] = case
        text = f"{subject}: incident {incident.id} opened, impact since {format_instant(incident.impact_start)}"
        notes.note(now, TransitionKind.INCIDENT_OPENED, incident.id, text)

    def _gateway_now(self, subject: str) -> str | None:
        route = self.catalog.route(subject)
        if route is None or route.plan is None or route.plan.gateway is None:
            return None
        reading = self.desk.readings.get(f"{route.plan.name}/gateway")
        return reading.value if reading is not None and reading.ok else None

    def _note_last_bad(self, case: Case) -> None:
        firing = {alert.id for alert in incidents.paging(case.incident)}
        for index, alert in self.watches.firing.items():
            if alert.id in firing:
                case.put(incidents.bad_until(case.incident, self.watches.last_impact(index)))

    def _forget_unwatched(self, case: Case, now: Instant, notes: Notes) -> None:
        """An alert that the files no longer ask for cannot end by data, and must not keep its incident open."""
        if case.incident.kind not in WATCHED:
            return
        watched = {alert.id for alert in self.watches.firing.values()}
        for alert in incidents.firing(case.incident):
            if alert.name not in incidents.NOT_COUNTED and alert.id not in watched:
                self.resolved(replace(alert, resolved_at=now), None, now, notes)

    def end(self, case: Case, now: Instant, by: str, notes: Notes) -> None:
        """Resolve an incident; ``by`` is "" where the data say so."""
        case.put(incidents.resolved(case.incident, now, by))
        case.news.append(PageKind.RESOLVE.value)
        text = f"{case.incident.route}: incident {case.incident.id} resolved" + (f" by {by}" if by else "")
        notes.note(now, TransitionKind.INCIDENT_RESOLVED, case.incident.id, text, actor=by)
