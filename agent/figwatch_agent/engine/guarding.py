"""Weighs rollbacks for open cases, commits to them, and judges afterwards whether they helped."""

import hashlib
from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.decide import incidents
from figwatch_agent.decide.guard import SidesSeen, Situation, weigh
from figwatch_agent.durations import MINUTE, SECOND, Duration, Instant, format_seconds
from figwatch_agent.engine.cases import Case
from figwatch_agent.engine.catalog import Catalog, Stream, Watch, WatchedRoute
from figwatch_agent.engine.desk import Desk, Notes
from figwatch_agent.engine.mapping import TRAFFIC_SIDES
from figwatch_agent.engine.measuring import Rings
from figwatch_agent.engine.tally import Tally
from figwatch_agent.engine.verifying import checks_for
from figwatch_agent.engine.watching import Watches
from figwatch_agent.evaluate.comparison import Comparison, Counts, Outcome, Sides, WindowFigures, compare
from figwatch_agent.model.command import Command
from figwatch_agent.model.decision import Decision, DecisionOutcome, Reason
from figwatch_agent.model.effect import RollbackState
from figwatch_agent.model.incident import Alert, IncidentKind, RollbackRun
from figwatch_agent.model.inputs import Inputs
from figwatch_agent.model.intent import RollbackIntent
from figwatch_agent.model.names import Stage
from figwatch_agent.model.outcome import TransitionKind
from figwatch_agent.model.page import PageKind
from figwatch_agent.model.plan import RollbackPlan
from figwatch_agent.model.sentences import OPEN
from figwatch_agent.model.wire import encode

Flags = NDArray[np.bool_]

WINDOWS: tuple[Duration, ...] = (5 * SECOND, 15 * SECOND, MINUTE, 5 * MINUTE)
"""Fixed before anybody looks: short ones see a fault that has just begun, long ones a faint one."""

START_WITHIN: Duration = MINUTE
"""A rollback that was not begun by then is not begun at all: its reasons may be stale."""

WORTH_TELLING = frozenset({Reason.CONDITIONS_HOLD, Reason.SHARED_CAUSE, Reason.AWAITING_APPROVAL, Reason.DRY_RUN})
"""A decision that changes to one of these is told, and so is the first answer to a question that was open; others wait
for the next page."""


class Guard:
    """Everything about rollbacks that is decided, in one place."""

    def __init__(self, catalog: Catalog, desk: Desk, rings: Rings, watches: Watches) -> None:
        self.catalog = catalog
        self.desk = desk
        self.rings = rings
        self.watches = watches

    def weigh(
        self, tally: Tally, inputs: Inputs, approvals: list[tuple[Case, Command]], now: Instant, notes: Notes
    ) -> None:
        """Weigh every open case of a route that fires; approvals are weighed anew before they count."""
        rules = self.catalog.settings.rollback
        self.desk.latches.forget(now - max(rules.cool_down, rules.blast_window))
        approved = {case.incident.id: command.actor for case, command in approvals}
        for case in list(self.desk.cases.values()):
            if case.incident.kind is not IncidentKind.ROUTE or not case.pages or case.incident.rollback is not None:
                continue
            actor = approved.get(case.incident.id)
            if incidents.paging(case.incident) or actor is not None:
                self._weigh_one(case, tally, inputs, actor, now, notes)

    def settled(self, known: Flags) -> bool:
        """Whether weighing again decides what was decided, so long as no alert comes or goes and ``known`` stays.

        Surely so where no side is told apart: that stands before all that counts, readings and time could change.
        """
        return all(self._is_settled(case, known) for case in self.desk.cases.values() if case.pages)

    def look_on(self, ticks: int) -> None:
        """Live through so many ticks that decide nothing new."""
        for case in self.desk.cases.values():
            if case.pages and incidents.paging(case.incident):
                case.looks += ticks

    def _is_settled(self, case: Case, known: Flags) -> bool:
        decision, watch = case.incident.decision, self._telling_watch(case)
        if decision is None or case.incident.rollback is not None or case.awaiting_since is not None:
            return False
        if watch is None or watch.stream.sided or case.incident.kind is not IncidentKind.ROUTE:
            return False
        reason = Reason.NO_CONTROL if known[watch.stream.index] else Reason.STALE_DATA
        return (decision.outcome, decision.reason) == (DecisionOutcome.WITHHELD, reason)

    def _weigh_one(
        self, case: Case, tally: Tally, inputs: Inputs, actor: str | None, now: Instant, notes: Notes
    ) -> None:
        route = self.catalog.route(case.incident.route)
        watch = self._telling_watch(case)
        case.looks += 1
        decision = weigh(self._situation(case, route, watch, tally, inputs, actor, now))
        before = case.incident.decision
        if _is_news(before, decision):
            self._decided(case, decision, before, now, notes)
        if decision.outcome is DecisionOutcome.AWAITING_APPROVAL:
            case.awaiting_since = case.awaiting_since if case.awaiting_since is not None else now
        else:
            case.awaiting_since = None
        if decision.outcome is DecisionOutcome.ROLLBACK and route is not None and route.plan is not None:
            self._commit(case, route.plan, watch, actor, now, notes)

    def _decided(self, case: Case, decision: Decision, before: Decision | None, now: Instant, notes: Notes) -> None:
        case.put(replace(case.incident, decision=decision))
        words = f"{decision.outcome.value.replace('_', ' ')}: {decision.reason.value}"
        data = tuple(
            (condition.name, f"{condition.holds.value}: {condition.evidence}") for condition in decision.conditions
        )
        notes.note(now, TransitionKind.DECIDED, case.incident.id, f"{case.incident.route}: {words}", data)
        if before is not None and (decision.reason in WORTH_TELLING or _settles(case, decision)):
            case.news.append(PageKind.UPDATE.value)

    def _situation(
        self,
        case: Case,
        route: WatchedRoute | None,
        watch: Watch | None,
        tally: Tally,
        inputs: Inputs,
        actor: str | None,
        now: Instant,
    ) -> Situation:
        rules = self.catalog.settings.rollback
        template = case.incident.route
        plan = route.plan if route else None
        legacy_rate, route_rate = self._rates(route, now)
        alerts = incidents.paging(case.incident)
        return Situation(
            now=now,
            route=template,
            stage=route.route.stage if route else Stage.LEGACY,
            plan=plan,
            plan_digest=plan_digest(plan) if plan else None,
            settings=rules,
            paging=tuple(_fires(alert) for alert in alerts),
            measured=watch is not None and bool(tally.known[watch.stream.index]),
            sides=self._sides(case, watch),
            readings=self.desk.readings,
            gateway_at_start=case.gateway_at_start,
            legacy_rate=legacy_rate,
            route_rate=route_rate,
            already_run=case.incident.rollback is not None,
            latched=template in self.desk.latches.latched,
            last_rollback=self.desk.latches.last(template),
            recent_rollbacks=self.desk.latches.automatic_since(now - rules.blast_window),
            kill_switch=inputs.kill_switch,
            store_healthy=inputs.store_healthy,
            approved_by=actor,
        )

    def _telling_watch(self, case: Case) -> Watch | None:
        """The watch whose counts are compared: the first of the route's page alerts whose requests have sides."""
        ids = {alert.id for alert in incidents.paging(case.incident)}
        found = [self.catalog.watches[index] for index, alert in self.watches.firing.items() if alert.id in ids]
        return next((watch for watch in found if watch.stream.sided), found[0] if found else None)

    def _sides(self, case: Case, watch: Watch | None) -> SidesSeen:
        if watch is None or not watch.stream.sided:
            return SidesSeen(outcome="no_control", evidence="what fires does not split its requests by side")
        sides = [self._side_counts(watch.stream, window) for window in WINDOWS]
        word = "legacy"
        if not sides[-1].control.total:
            baseline = self.desk.baselines.get(case.incident.route)
            if baseline is None:
                return SidesSeen(
                    outcome="no_control", evidence="legacy serves nothing on this route, no baseline is recorded"
                )
            word = "legacy's baseline"
            control = Counts(bad=baseline.bad, total=baseline.total)
            sides = [replace(side, control=control) for side in sides]
        seen = compare(sides, case.looks, watch.stream.slo.objective, watch.factor)
        return SidesSeen(outcome=seen.outcome.value, evidence=_sentence(seen, word))

    def _side_counts(self, stream: Stream, window: Duration) -> Sides:
        service, legacy = self.rings.sides(stream, window)
        return Sides(window=window, service=_counts(service), control=_counts(legacy))

    def _rates(self, route: WatchedRoute | None, now: Instant) -> tuple[Fraction, Fraction]:
        """Requests a second that legacy serves on all routes, and that would be added from this one."""
        traffic = self.rings.traffic(MINUTE)
        legacy = int(traffic[:, TRAFFIC_SIDES.index("legacy")].sum())
        moved = 0
        if route is not None:
            row = traffic[route.index]
            moved = int(row.sum() - row[TRAFFIC_SIDES.index("legacy")] - row[TRAFFIC_SIDES.index("shadow")])
        seconds = Fraction(max(min(MINUTE, now - self.rings.began), SECOND), SECOND)
        return legacy / seconds, moved / seconds

    def _commit(
        self, case: Case, plan: RollbackPlan, watch: Watch | None, actor: str | None, now: Instant, notes: Notes
    ) -> None:
        incident = case.incident
        reading = self.desk.readings.get(f"{plan.name}/gateway")
        intent = RollbackIntent(
            id=f"{incident.id}/rollback",
            incident=incident.id,
            route=incident.route,
            plan=plan,
            decided_at=now,
            valid_until=now + START_WITHIN,
            gateway=reading.value if reading is not None and plan.gateway is not None else None,
        )
        notes.intents.append(intent)
        run = RollbackRun(
            id=intent.id, plan=plan.name, decided_at=now, state=RollbackState.COMMITTED, approved_by=actor
        )
        case.put(replace(incident, rollback=run))
        case.verify_within = plan.verify.within
        case.checks = checks_for(self.catalog, incident.route, plan.verify.slo, watch)
        self.desk.latches.fasten(incident.route, incident.id, now, automatic=actor is None)


def _is_news(before: Decision | None, decision: Decision) -> bool:
    """Whether the decision differs; a comparison that cannot tell just now takes back nothing that was seen."""
    if before is None:
        return True
    unsure = decision.reason is Reason.COMPARISON_UNDECIDED and before.reason is Reason.SHARED_CAUSE
    return not unsure and (before.outcome, before.reason) != (decision.outcome, decision.reason)


def _settles(case: Case, decision: Decision) -> bool:
    """Whether people were told last that the decision follows, and this is it. Once told, it is not told again."""
    return case.said in OPEN and decision.reason not in OPEN


def _fires(alert: Alert) -> str:
    lane = " on the service side" if alert.lane == "service" else ""
    return f"{alert.slo}, tier {alert.tier}{lane} ({alert.bad} bad of {alert.total})"


def plan_digest(plan: RollbackPlan) -> str:
    """What an approval is bound to: the plan as it was read."""
    return hashlib.sha256(encode(plan).encode()).hexdigest()[:16]


def _counts(pair: tuple[int, int]) -> Counts:
    """A source that counts more good events than events must not break the comparison."""
    bad, total = pair
    return Counts(bad=min(max(bad, 0), max(total, 0)), total=max(total, 0))


_OUTCOMES: dict[Outcome, str] = {
    Outcome.WORSE: "the service side is worse",
    Outcome.SHARED: "both sides fail alike",
    Outcome.NOT_WORSE: "the service side is as good",
    Outcome.UNDECIDED: "not enough requests yet to tell the sides apart",
}


def _sentence(seen: Comparison, control: str) -> str:
    window = seen.decisive or max(seen.windows, key=lambda figures: figures.sides.control.total)
    return f"{_OUTCOMES[seen.outcome]}: {_figures(window, control)}"


def _figures(figures: WindowFigures, control: str) -> str:
    service, other = figures.sides.service, figures.sides.control
    return (
        f"service {service.bad} bad of {service.total} ({figures.service_low:.1%} to {figures.service_high:.1%}), "
        f"{control} {other.bad} of {other.total} ({figures.control_low:.1%} to {figures.control_high:.1%}), "
        f"last {format_seconds(figures.sides.window)}"
    )
