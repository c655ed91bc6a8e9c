"""What people are told, and through whom: the news of a tick become outbox rows."""

from dataclasses import replace
from fractions import Fraction
from operator import attrgetter

from figwatch_agent.decide import incidents
from figwatch_agent.durations import HOUR, SECOND, Duration, Instant
from figwatch_agent.engine.cases import Case
from figwatch_agent.engine.catalog import Catalog, Stream, Watch
from figwatch_agent.engine.desk import Desk, Notes
from figwatch_agent.engine.mapping import TRAFFIC_SIDES
from figwatch_agent.engine.measuring import Rings
from figwatch_agent.engine.watching import Watches
from figwatch_agent.engine.wording import action, headline
from figwatch_agent.evaluate.error_budget import Budget, time_to_exhaustion
from figwatch_agent.model.decision import DecisionOutcome, Reason
from figwatch_agent.model.incident import Alert, Incident
from figwatch_agent.model.names import Severity
from figwatch_agent.model.page import Facts, OutboxRow, Page, PageKind
from figwatch_agent.model.settings import Receiver

SHARED_WITHIN: Duration = HOUR
"""Incidents with a shared cause that begin within this time of each other are told as one."""


SHARED_TELLS_WITHIN: Duration = 10 * SECOND
"""While the sides cannot be told apart yet and somebody was paged for another route just now, the page of a further
route waits this long: what both suffer from is then told once."""

_MAY_BE_SHARED = frozenset({Reason.COMPARISON_UNDECIDED, Reason.SHARED_CAUSE})


class Paging:
    """Writes rows for cases; remembers in each case who was told."""

    def __init__(self, catalog: Catalog, desk: Desk, rings: Rings, watches: Watches) -> None:
        self.catalog = catalog
        self.desk = desk
        self.rings = rings
        self.watches = watches
        self._by_slo: dict[str, list[Watch]] = {}
        for watch in catalog.watches:
            self._by_slo.setdefault(watch.stream.slo.name, []).append(watch)

    def tell(self, now: Instant, notes: Notes) -> None:
        """Rows for everything new; resolved cases leave the desk afterwards."""
        for case in list(self.desk.cases.values()):
            self._share(case)
            told = self._trigger(case, now, notes)
            if PageKind.UPDATE.value in case.news and not told:
                self._to_told(case, PageKind.UPDATE, now, notes)
            if PageKind.RESOLVE.value in case.news:
                self._resolve(case, now, notes)
            case.news.clear()
            if case.changed:
                notes.incidents[case.incident.id] = case.incident
                case.changed = False
            if not case.incident.open:
                self.desk.close(case)

    def _share(self, case: Case) -> None:
        """Where legacy fails alike on several routes at once, the first incident's page speaks for all."""
        decision = case.incident.decision
        if case.told or case.incident.shared_with or decision is None or decision.reason is not Reason.SHARED_CAUSE:
            return
        for other in self.desk.cases.values():
            leads = other is not case and other.told and other.incident.shared_with is None
            alike = other.incident.decision is not None and other.incident.decision.reason is Reason.SHARED_CAUSE
            if leads and alike and _near(case, other):
                case.put(replace(case.incident, shared_with=other.incident.id))
                case.news.append(PageKind.UPDATE.value)  # told under the other's page
                return

    def _trigger(self, case: Case, now: Instant, notes: Notes) -> bool:
        incident = case.incident
        if not incident.open or incident.shared_with is not None or self._may_be_shared(case, now):
            return False
        rolling = incident.decision is not None and incident.decision.outcome is DecisionOutcome.ROLLBACK
        if self.desk.silenced(case, now) and not rolling:
            return False
        new = [
            receiver
            for receiver in self.catalog.settings.receivers
            if incident.severity in receiver.severities and _mark(receiver, incident.severity) not in case.told
        ]
        if new:
            told = [(receiver.name, incident.severity) for receiver in new]
            self._rows(case, PageKind.TRIGGER, told, case.group, now, notes)
            case.told += tuple(_mark(receiver, incident.severity) for receiver in new)
        return bool(new)

    def _may_be_shared(self, case: Case, now: Instant) -> bool:
        """Whether a page that somebody has already may turn out to speak for this one."""
        decision = case.incident.decision
        if case.told or decision is None or decision.reason is not Reason.COMPARISON_UNDECIDED:
            return False
        told = [
            other
            for other in self.desk.cases.values()
            if other is not case and other.told and other.incident.decision is not None
            if other.incident.decision.reason in _MAY_BE_SHARED and _near(case, other)
        ]
        return bool(told) and now - case.incident.detected_at < SHARED_TELLS_WITHIN

    def _to_told(self, case: Case, kind: PageKind, now: Instant, notes: Notes) -> None:
        speaker = self.desk.cases.get(case.incident.shared_with or "", case)
        self._rows(case, kind, [_unmarked(mark) for mark in speaker.told], speaker.group, now, notes)

    def _resolve(self, case: Case, now: Instant, notes: Notes) -> None:
        """A page that speaks for several incidents ends with the last of them; before that, one is said to be over."""
        spoken_for = [
            other
            for other in self.desk.cases.values()
            if other.incident.open and other.incident.shared_with == case.incident.id
        ]
        last = case.incident.shared_with is None and not spoken_for
        self._to_told(case, PageKind.RESOLVE if last else PageKind.UPDATE, now, notes)
        for place, other in enumerate(spoken_for):
            heir = spoken_for[0]
            heir.told, heir.group = case.told, case.group
            other.put(replace(other.incident, shared_with=None if place == 0 else heir.incident.id))

    def _rows(
        self, case: Case, kind: PageKind, told: list[tuple[str, Severity]], group: str, now: Instant, notes: Notes
    ) -> None:
        if not told:
            return
        case.put(replace(case.incident, pages=case.incident.pages + 1))
        case.said = None if case.incident.decision is None else case.incident.decision.reason
        for receiver, severity in told:
            page = self._page(case, kind, severity, group, now)
            row = f"{case.incident.id}/{case.incident.pages}/{receiver}/{severity.value}"
            notes.outbox.append(OutboxRow(id=row, receiver=receiver, incident=group, page=page))

    def _page(self, case: Case, kind: PageKind, severity: Severity, group: str, now: Instant) -> Page:
        incident, settings = case.incident, self.catalog.settings
        watch = self._watch(incident)
        facts = self._facts(incident, watch.stream, now) if watch is not None else None
        external = settings.web.external_url
        return Page(
            kind=kind,
            headline=headline(kind, incident, facts, watch is not None and watch.stream.kind == "latency"),
            incident=incident,
            group=group if severity is Severity.PAGE else f"{group}/ticket",
            severity=severity,
            at=now,
            facts=facts,
            action=action(incident),
            runbook_url=settings.runbook_url + _leading(incident).name.value,
            status_url=f"{external.rstrip('/')}/incidents/{incident.id}" if external else None,
            overview_url=external,
        )

    def _watch(self, incident: Incident) -> Watch | None:
        """The watch that tells best how bad it is: a page of the route, else whatever it was."""
        keys = {(alert.slo, alert.tier, alert.lane) for alert in incident.alerts}
        slos = dict.fromkeys(alert.slo for alert in incident.alerts)
        found = [
            watch
            for watch in sorted((each for slo in slos for each in self._by_slo.get(slo, ())), key=attrgetter("index"))
            if (watch.stream.slo.name, watch.tier, watch.lane) in keys and watch.stream.route in (incident.route, "")
        ]
        return next((watch for watch in found if watch.severity is Severity.PAGE), found[0] if found else None)

    def _facts(self, incident: Incident, stream: Stream, now: Instant) -> Facts:
        over = min(max(now - incident.impact_start, 5 * SECOND), HOUR)
        service, legacy = self.rings.sides(stream, over)
        place = stream.index
        if stream.sided:
            bad, total = self.rings.users(stream, over)
        else:
            window = self.rings.streams(over)
            bad, total = int(window.bad.most[place]), int(window.total.most[place])
        budget = Budget(objective=stream.slo.objective)
        period = self.rings.streams(stream.service.window)
        left = budget.remaining(int(period.bad.most[place]), int(period.total.most[place]))
        burn = budget.burn_rate(bad, total) if total > 0 else None
        return Facts(
            bad=bad,
            total=total,
            over=over,
            objective=percent(stream.slo.objective),
            burn_rate=None if burn is None else f"{float(burn):.1f}",
            budget_left=None if left is None else percent(max(left, Fraction(0))),
            exhausted_in=_while_it_burns(incident, time_to_exhaustion(left, burn, stream.service.window)),
            legacy_share=self._legacy_share(incident.route),
            service_bad=service[0],
            service_total=service[1],
            legacy_bad=legacy[0],
            legacy_total=legacy[1],
        )

    def _legacy_share(self, template: str) -> str | None:
        route = self.catalog.route(template)
        if route is None:
            return None
        row = self.rings.traffic(10 * SECOND)[route.index]
        users = int(row.sum() - row[TRAFFIC_SIDES.index("shadow")])
        return _percent_told(Fraction(int(row[TRAFFIC_SIDES.index("legacy")]), users)) if users else None


def _while_it_burns(incident: Incident, left_for: Duration | None) -> Duration | None:
    """When the budget will be gone; after the impact nothing goes on at that rate, and what is gone stays gone."""
    return left_for if incident.mitigated_at is None or left_for == 0 else None


def _leading(incident: Incident) -> Alert:
    """Whose runbook helps now: what became of a rollback, else what we count ourselves, else what others tell."""
    alerts = incidents.firing(incident) or incident.alerts
    about_rollback = (alert for alert in reversed(alerts) if alert.name in incidents.ROLLBACK_ALERTS)
    ours = (alert for alert in alerts if alert.name not in incidents.NOT_COUNTED)
    return next(about_rollback, None) or next(ours, alerts[0])


def _near(one: Case, other: Case) -> bool:
    return abs(one.incident.detected_at - other.incident.detected_at) <= SHARED_WITHIN


def percent(ratio: Fraction) -> str:
    """``99.9%``, ``0.25%``: as many digits as the ratio has, at most four behind the point."""
    text = f"{float(ratio * 100):.4f}".rstrip("0").rstrip(".")
    return f"{text}%"


def _mark(receiver: Receiver, severity: Severity) -> str:
    return f"{receiver.name}/{severity.value}"


def _unmarked(mark: str) -> tuple[str, Severity]:
    name, _, severity = mark.rpartition("/")
    return name, Severity(severity)


def _percent_told(ratio: Fraction) -> str:
    """One decimal, and more only where one would tell all or nothing of what is neither."""
    short = Fraction(round(ratio * 1000), 1000)
    return percent(ratio if short in (0, 1) else short)
