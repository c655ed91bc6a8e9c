"""Alerts become incidents; people and workers are heard; incidents end."""

from collections.abc import Callable
from dataclasses import replace

from figwatch_agent.decide import incidents
from figwatch_agent.durations import Instant, format_duration, format_instant
from figwatch_agent.engine.cases import Case
from figwatch_agent.engine.catalog import Catalog, Watch
from figwatch_agent.engine.desk import Baseline, Desk, Notes, Silence
from figwatch_agent.engine.signals import Signal
from figwatch_agent.engine.watching import Watches
from figwatch_agent.model.command import Command, CommandKind
from figwatch_agent.model.effect import DeliveryEffect, DeliveryState, Effect, RollbackEffect, RollbackState
from figwatch_agent.model.incident import Alert, Incident, IncidentKind
from figwatch_agent.model.names import AlertName, Severity
from figwatch_agent.model.outcome import TransitionKind
from figwatch_agent.model.page import PageKind

NEEDS_HUMAN = frozenset({RollbackState.NEEDS_HUMAN, RollbackState.FAILED})
"""Ends of a rollback after which the incident stays open until a person has looked."""

WATCHED = frozenset({IncidentKind.ROUTE, IncidentKind.UPTIME})
"""Incidents whose alerts come from watches."""


class Casework:
    """Opens, feeds and closes cases on a desk."""

    def __init__(self, catalog: Catalog, desk: Desk, watches: Watches) -> None:
        self.catalog = catalog
        self.desk = desk
        self.watches = watches
        self._commands: dict[CommandKind, Callable[[Command, Instant, Notes], str]] = {
            CommandKind.ACKNOWLEDGE: self._acknowledge,
            CommandKind.SILENCE: self._silence,
            CommandKind.RESOLVE: self._resolve,
            CommandKind.APPROVE: self._approve,
            CommandKind.REARM: self._rearm,
            CommandKind.EVENT: self._event,
            CommandKind.BASELINE: self._baseline,
            CommandKind.EXTERNAL_ALERT: self._event,
        }
        self.approvals: list[tuple[Case, Command]] = []  # for the guard, in this tick

    def hear(self, commands: tuple[Command, ...], now: Instant, notes: Notes) -> None:
        """Carry out what people wish, or say why not."""
        self.approvals = []
        self.desk.silences = [silence for silence in self.desk.silences if silence.until > now]
        for command in commands:
            refusal = self._commands[command.kind](command, now, notes)
            if refusal:
                text = f"{command.kind.value} {command.subject} of {command.actor} refused: {refusal}"
                notes.note(now, TransitionKind.COMMAND_REFUSED, command.subject, text, actor=command.actor)

    def learn(self, effects: tuple[Effect, ...], now: Instant, notes: Notes) -> None:
        """Take in what the workers did."""
        for effect in effects:
            if isinstance(effect, RollbackEffect):
                self._rollback(effect, now, notes)
            else:
                self._delivery(effect, notes)

    def fired(self, watch: Watch, alert: Alert, now: Instant, notes: Notes) -> None:
        """An alert of a watch joins its incident, or opens one."""
        kind, subject = self._subject(watch)
        self._join(kind, subject, watch.stream.service.service, alert, now, notes)

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
                alert = _signal_alert(key, signal, now)
                self._join(signal.kind, signal.subject, signal.service, alert, now, notes)
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
                self._end(case, now, "", notes)

    def _subject(self, watch: Watch) -> tuple[IncidentKind, str]:
        if watch.stream.probed:
            return IncidentKind.UPTIME, watch.stream.slo.name
        return IncidentKind.ROUTE, watch.stream.route or watch.stream.slo.name

    def _join(self, kind: IncidentKind, subject: str, service: str, alert: Alert, now: Instant, notes: Notes) -> None:
        notes.note(now, TransitionKind.ALERT_FIRED, alert.id, f"{alert.name.value} of {alert.slo} fires ({alert.tier})")
        case = self.desk.open_case(kind, subject)
        if case is not None:
            case.put(incidents.joined(case.incident, alert))
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
            if alert.name not in incidents.ROLLBACK_ALERTS and alert.id not in watched:
                self.resolved(replace(alert, resolved_at=now), None, now, notes)

    def _end(self, case: Case, now: Instant, by: str, notes: Notes) -> None:
        case.put(incidents.resolved(case.incident, now, by))
        case.news.append(PageKind.RESOLVE.value)
        text = f"{case.incident.route}: incident {case.incident.id} resolved" + (f" by {by}" if by else "")
        notes.note(now, TransitionKind.INCIDENT_RESOLVED, case.incident.id, text, actor=by)

    # What people wish. Each answers "" or the reason of its refusal.

    def _case(self, subject: str) -> Case | None:
        """The open case of an incident's id or of a route; what users of the route suffer comes first."""
        cases = [case for case in self.desk.cases.values() if case.incident.open]
        named = [case for case in cases if subject in (case.incident.id, case.incident.route)]
        return min(named, key=lambda case: case.incident.kind is not IncidentKind.ROUTE, default=None)

    def _acknowledge(self, command: Command, now: Instant, notes: Notes) -> str:
        case = self._case(command.subject)
        if case is None:
            return "no open incident of that id or route"
        if case.incident.acknowledged_at is None:
            case.put(replace(case.incident, acknowledged_at=now, acknowledged_by=command.actor))
            text = f"{case.incident.route}: {command.actor} has it"
            notes.note(now, TransitionKind.INCIDENT_ACKNOWLEDGED, case.incident.id, text, actor=command.actor)
        return ""

    def _silence(self, command: Command, now: Instant, notes: Notes) -> str:
        if command.until is None or command.until <= now:
            return "a silence needs an end in the future"
        if not command.why:
            return "a silence needs a reason"
        self.desk.silences.append(
            Silence(subject=command.subject, until=command.until, actor=command.actor, why=command.why)
        )
        text = f"{command.subject} is silenced until {format_instant(command.until)}: {command.why}"
        notes.note(now, TransitionKind.SILENCED, command.subject, text, actor=command.actor)
        return ""

    def _resolve(self, command: Command, now: Instant, notes: Notes) -> str:
        case = self._case(command.subject)
        if case is None:
            return "no open incident of that id or route"
        if case.incident.rollback is not None and not case.incident.rollback.state.final:
            return "its rollback is still running"
        ids = {alert.id for alert in case.incident.alerts}
        for index in [index for index, alert in self.watches.firing.items() if alert.id in ids]:
            last = self.watches.last_impact(index)
            self.resolved(self.watches.resolve(index, now), last, now, notes)
        self._end(case, now, command.actor, notes)
        return ""

    def _approve(self, command: Command, now: Instant, notes: Notes) -> str:
        case = self._case(command.subject)
        if case is None:
            return "no open incident of that id or route"
        decision = case.incident.decision
        if decision is None or case.awaiting_since is None:
            return "nothing awaits approval there"
        expires = self.catalog.settings.rollback.approval_expires
        if now - command.at > expires:
            return f"it was given {format_duration(now - command.at)} ago, and holds for {format_duration(expires)}"
        if now - case.awaiting_since > expires:
            case.awaiting_since = now  # whoever reads this refusal looks at it now
            return (
                f"the approval expired {format_duration(expires)} after it was asked for; look again and approve anew"
            )
        if command.plan_digest is not None and command.plan_digest != decision.plan_digest:
            return "the plan changed since it was read; look at it again"
        self.approvals.append((case, command))
        return ""

    def _rearm(self, command: Command, now: Instant, notes: Notes) -> str:
        case = self._case(command.subject)
        route = case.incident.route if case is not None else command.subject
        if case is not None and case.incident.rollback is not None and not case.incident.rollback.state.final:
            return "its rollback is still running"
        latched = self.desk.latches.rearm(route)
        if case is not None and case.incident.rollback is not None:
            case.put(_without_needs_human(case.incident, now))
            latched = True
        if not latched:
            return "nothing is latched there"
        notes.note(
            now, TransitionKind.REARMED, route, f"{route} may be rolled back automatically again", actor=command.actor
        )
        return ""

    def _event(self, command: Command, now: Instant, notes: Notes) -> str:
        text = command.why or f"{command.kind.value} {command.subject}"
        notes.note(now, TransitionKind.EVENT_RECORDED, command.subject, text, command.data, command.actor)
        return ""

    def _baseline(self, command: Command, now: Instant, notes: Notes) -> str:
        data = dict(command.data)
        try:
            baseline = Baseline(bad=int(data["bad"]), total=int(data["total"]))
        except (KeyError, ValueError):
            return "a baseline needs whole numbers `bad` and `total`"
        if not 0 <= baseline.bad <= baseline.total:
            return "a baseline needs 0 <= bad <= total"
        self.desk.baselines[command.subject] = baseline
        return self._event(command, now, notes)

    # What the workers did.

    def _rollback(self, effect: RollbackEffect, now: Instant, notes: Notes) -> None:
        case = self.desk.cases.get(effect.incident)
        if case is None or case.incident.rollback is None:
            return
        run = case.incident.rollback
        if run.state.final:
            return
        done_at = effect.at if effect.state is RollbackState.DONE else None
        case.put(
            replace(case.incident, rollback=replace(run, state=effect.state, done_at=done_at, detail=effect.detail))
        )
        text = f"{case.incident.route}: rollback {effect.state.value.replace('_', ' ')}"
        text += f" ({effect.detail})" if effect.detail else ""
        notes.note(now, TransitionKind.ROLLBACK_STATE, case.incident.id, text, (("state", effect.state.value),))
        if effect.state.final and effect.state is not RollbackState.DONE:
            case.news.append(PageKind.UPDATE.value)
        if effect.state in NEEDS_HUMAN:
            case.put(
                incidents.joined(case.incident, rollback_alert(case.incident, AlertName.ROLLBACK_NEEDS_HUMAN, now))
            )

    def _delivery(self, effect: DeliveryEffect, notes: Notes) -> None:
        if effect.state is DeliveryState.DEAD:
            self.desk.failing_receivers[effect.receiver] = effect.reason
        elif effect.state is DeliveryState.ACCEPTED:
            self.desk.failing_receivers.pop(effect.receiver, None)
        case = self.desk.cases.get(effect.incident)
        first = case is not None and case.incident.paged_at is None
        if case is not None and first and effect.kind == PageKind.TRIGGER and effect.state is DeliveryState.ACCEPTED:
            case.put(replace(case.incident, paged_at=effect.at))
            text = f"{case.incident.route}: {effect.receiver} accepted the page"
            notes.note(effect.at, TransitionKind.INCIDENT_PAGED, effect.incident, text)


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


def _signal_alert(key: str, signal: Signal, now: Instant) -> Alert:
    return Alert(
        id=f"{key} {now}",
        name=signal.name,
        slo=key,
        route=signal.subject,
        tier="signal",
        lane="all",
        severity=Severity.TICKET,
        fired_at=now,
        impact_start=signal.since,
        certified=True,
        bad=0,
        total=0,
        burn_rate=None,
    )


def _without_needs_human(incident: Incident, now: Instant) -> Incident:
    alerts = tuple(
        replace(alert, resolved_at=now)
        if alert.name is AlertName.ROLLBACK_NEEDS_HUMAN and alert.resolved_at is None
        else alert
        for alert in incident.alerts
    )
    return replace(incident, alerts=alerts)
