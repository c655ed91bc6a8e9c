"""What people and other systems wish for, carried out or refused with the reason."""

from collections.abc import Callable
from dataclasses import replace

from figwatch_agent.decide import incidents
from figwatch_agent.durations import Instant, format_duration, format_instant
from figwatch_agent.engine.cases import Case
from figwatch_agent.engine.casework import Casework
from figwatch_agent.engine.catalog import Catalog
from figwatch_agent.engine.desk import Baseline, Desk, Notes, Silence, refuse
from figwatch_agent.engine.external import External
from figwatch_agent.engine.telling import Telling
from figwatch_agent.engine.watching import Watches
from figwatch_agent.model.command import Command, CommandKind
from figwatch_agent.model.incident import IncidentKind
from figwatch_agent.model.outcome import TransitionKind

EXCLUSIONS = frozenset({CommandKind.EXCLUDE, CommandKind.END_EXCLUSION})

Carry = Callable[[Command, Instant, Notes], str]
"""Carries a command out; gives "" or the reason of its refusal."""


class Wishes:
    """Hears commands; approvals wait for the guard of the same tick."""

    def __init__(self, catalog: Catalog, desk: Desk, watches: Watches, casework: Casework) -> None:
        self.catalog = catalog
        self.desk = desk
        self.watches = watches
        self._casework = casework
        self._telling = Telling(catalog, desk.book)
        self._kinds: dict[CommandKind, Carry] = {
            CommandKind.ACKNOWLEDGE: self._acknowledge,
            CommandKind.SILENCE: self._silence,
            CommandKind.RESOLVE: self._resolve,
            CommandKind.APPROVE: self._approve,
            CommandKind.REARM: self._rearm,
            CommandKind.EVENT: self._telling.event,
            CommandKind.BASELINE: self._baseline,
            CommandKind.EXTERNAL_ALERT: External(catalog, desk, casework).take,
        }
        self.approvals: list[tuple[Case, Command]] = []  # for the guard, in this tick

    def hear(self, commands: tuple[Command, ...], now: Instant, notes: Notes) -> None:
        """Carry out what people wish, or say why not."""
        self.approvals = []
        self.desk.silences = [silence for silence in self.desk.silences if silence.until > now]
        for command in commands:
            if command.kind not in EXCLUSIONS:  # those were heard before the tick was counted
                refuse(command, self._kinds[command.kind](command, now, notes), now, notes)

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
        known = self._subjects()
        if self._case(command.subject) is None and command.subject not in known:
            return (
                f"no route, SLO without a route, or open incident of that name; there are {', '.join(known) or 'none'}"
            )
        self.desk.silences.append(
            Silence(subject=command.subject, until=command.until, actor=command.actor, why=command.why)
        )
        text = f"{command.subject} is silenced until {format_instant(command.until)}: {command.why}"
        notes.note(now, TransitionKind.SILENCED, command.subject, text, actor=command.actor)
        return ""

    def _subjects(self) -> list[str]:
        """What an incident can be about: routes, and SLOs that belong to none, such as uptime."""
        alone = (stream.slo.name for stream in self.catalog.streams if stream.probed or not stream.route)
        return list(dict.fromkeys((*(route.route.template for route in self.catalog.routes), *alone)))

    def _resolve(self, command: Command, now: Instant, notes: Notes) -> str:
        case = self._case(command.subject)
        if case is None:
            return "no open incident of that id or route"
        if case.incident.rollback is not None and not case.incident.rollback.state.final:
            return "its rollback is still running"
        ids = {alert.id for alert in case.incident.alerts}
        for index in [index for index, alert in self.watches.firing.items() if alert.id in ids]:
            last = self.watches.last_impact(index)
            self._casework.resolved(self.watches.resolve(index, now), last, now, notes)
        self._casework.end(case, now, command.actor, notes)
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
            case.put(incidents.looked_after(case.incident, now))
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
        if self.catalog.route(command.subject) is None:
            return self._telling.baseline(command, now, notes)
        try:
            baseline = Baseline(bad=int(data["bad"]), total=int(data["total"]))
        except (KeyError, ValueError):
            return "a baseline needs whole numbers `bad` and `total`"
        if not 0 <= baseline.bad <= baseline.total:
            return "a baseline needs 0 <= bad <= total"
        self.desk.baselines[command.subject] = baseline
        return self._event(command, now, notes)
