"""May a route move on? Every condition is asked, each answers with its evidence, and unknown never passes."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from figwatch_agent.durations import DAY, HOUR, SECOND, Duration, Instant, format_duration, format_seconds
from figwatch_agent.engine.catalog import Stream, WatchedRoute
from figwatch_agent.engine.mapping import BUCKET_SIDES, TRAFFIC_SIDES
from figwatch_agent.engine.measured import measured
from figwatch_agent.engine.saving import Parts
from figwatch_agent.engine.tally import Tally
from figwatch_agent.evaluate.comparison import Counts, Outcome, Sides, WindowFigures, compare
from figwatch_agent.evaluate.criteria import judge_measured
from figwatch_agent.evaluate.gate import FLOOR, keeps
from figwatch_agent.evaluate.uptime import RequestUptime
from figwatch_agent.model.gate import ORDER, GateAnswer, GateCondition
from figwatch_agent.model.names import DataPlan, Measure, Stage, Tri, Verdict
from figwatch_agent.model.target import TargetError, parse_target
from figwatch_agent.model.view import Measured

LOOK: Final = 1000
"""A gate may be asked as often as one likes, so each look takes the level of the thousandth: ten thousand of them
together are wrong less than once in a thousand."""

COMPARED_OVER: Final[Duration] = DAY
UNUSED_OVER: Final[Duration] = HOUR

_WORDS: Final = {Verdict.MET: Tri.YES, Verdict.MISSED: Tri.NO, Verdict.INCONCLUSIVE: Tri.UNKNOWN}
_DECIDES: Final = frozenset((Measure.UPTIME, Measure.LATENCY_P95, Measure.DATA_LOSS, Measure.MTTR))
"""Criteria about how good a route is. The others judge the migration, not a step of it."""

_SERVES: Final = (Stage.CANARY, Stage.MIGRATED, Stage.RETIRED)
"""Stages in which users are served by the service."""


class Gate:
    """One route at one tick."""

    def __init__(
        self, parts: Parts, tally: Tally | None, route: WatchedRoute, to: Stage, over: Duration | None
    ) -> None:
        """``over``: judge budgets over this time instead of the window of each file."""
        self._parts = parts
        self._tally = tally
        self._route = route
        self._template = route.route.template
        self._stage = route.route.stage
        self._to = to
        self._over = over

    def answer(self, at: Instant, now: Instant) -> GateAnswer:
        """All conditions, in the order in which people ask them. ``at`` is the newest tick."""
        found = [self._forward(), self._fresh(at, now), *self._budgets(), self._compared(), self._incidents()]
        found += [self._latch(), self._data(), *self._criteria(at)]
        if self._to is Stage.RETIRED:
            found.append(self._unused())
        return GateAnswer(route=self._template, stage=self._stage, to=self._to, at=at, conditions=tuple(found))

    def _forward(self) -> GateCondition:
        ahead = ORDER.index(self._to) > ORDER.index(self._stage)
        return _condition("stage", Tri.YES if ahead else Tri.NO, f"from {self._stage} to {self._to}")

    def _fresh(self, at: Instant, now: Instant) -> GateCondition:
        age, patience = now - at, 5 * self._parts.rings.catalog.settings.interval + 5 * SECOND
        known = self._tally is not None and any(
            bool(self._tally.known[stream.index]) for stream in self._streams() if not stream.probed
        )
        if age > patience:
            return _condition("measured", Tri.UNKNOWN, f"the newest tick is {format_seconds(age)} old: no agent runs")
        if not known:
            return _condition("measured", Tri.UNKNOWN, "its requests were not measured at the newest tick")
        return _condition("measured", Tri.YES, f"at the newest tick, {format_seconds(max(age, 0))} ago")

    def _streams(self) -> list[Stream]:
        """SLOs of the route, and those of its service that are about no route."""
        streams = self._parts.rings.catalog.streams
        return [s for s in streams if s.route == self._template or (not s.route and s.service is self._route.service)]

    def _budgets(self) -> Iterator[GateCondition]:
        streams = self._streams()
        if not streams:
            yield _condition("budget", Tri.UNKNOWN, "no SLO is declared for this route")
        for stream in streams:
            over = min(self._over or stream.service.window, stream.service.window)
            account = self._probes(stream, over) if stream.probed else self._requests(stream, over)
            yield _condition(
                f"budget {stream.slo.name}", keeps(account, stream.slo.objective), _kept(account, stream, over)
            )

    def _requests(self, stream: Stream, over: Duration) -> RequestUptime:
        window, index = self._parts.rings.streams(over), stream.index
        return RequestUptime(
            bad_low=int(window.bad.inside[index]),
            bad_high=int(window.bad.most[index]),
            total_low=int(window.total.inside[index]),
            total_high=int(window.total.most[index]),
            covered=self._parts.rings.covered_at_least(over, index),
            window=over,
        )

    def _probes(self, stream: Stream, over: Duration) -> RequestUptime:
        """Time as events: a millisecond down is a bad one."""
        up, down = self._parts.rings.uptime_at_least(over)[stream.index]
        return RequestUptime(
            bad_low=down,
            bad_high=down,
            total_low=up + down,
            total_high=up + down,
            covered=min(up + down, over),
            window=over,
        )

    def _compared(self) -> GateCondition:
        if self._stage not in _SERVES:
            return _condition("comparison", Tri.YES, f"no user is served by the service in stage {self._stage}")
        place = int(self._parts.rings.judging[self._route.index])
        if place < 0:
            return _condition(
                "comparison", Tri.UNKNOWN, "no availability SLO says what a failed request of this route is"
            )
        service, control = self._answers()
        word = "legacy"
        if not control.total:
            baseline = self._parts.desk.baselines.get(self._template)
            if baseline is None:
                return _condition("comparison", Tri.UNKNOWN, "legacy serves nothing here, and no baseline is recorded")
            control, word = Counts(bad=baseline.bad, total=baseline.total), "legacy's baseline"
        sides = Sides(window=COMPARED_OVER, service=service, control=control)
        seen = compare([sides], LOOK, self._parts.rings.catalog.streams[place].slo.objective, Fraction(1))
        holds = {Outcome.NOT_WORSE: Tri.YES, Outcome.UNDECIDED: Tri.UNKNOWN}.get(seen.outcome, Tri.NO)
        return _condition("comparison", holds, _sides_said(seen.outcome, seen.windows[0], word))

    def _answers(self) -> tuple[Counts, Counts]:
        """Failed of judged requests of the last day, of the service and of legacy."""
        inside = self._parts.rings.read("answers", COMPARED_OVER).inside
        by = inside.reshape(2, -1, len(BUCKET_SIDES))[:, self._route.index]
        pairs = [(max(int(by[1, side]), 0), max(int(by[0, side]), 0)) for side in range(len(BUCKET_SIDES))]
        service, legacy = (Counts(bad=min(bad, total), total=total) for bad, total in pairs)
        return service, legacy

    def _incidents(self) -> GateCondition:
        opened = [
            case.incident
            for case in self._parts.desk.cases.values()
            if case.incident.open and case.incident.route in (self._template, *(s.slo.name for s in self._streams()))
        ]
        if opened:
            return _condition("incidents", Tri.NO, f"open: {', '.join(incident.id for incident in opened)}")
        return _condition("incidents", Tri.YES, "none is open on this route")

    def _latch(self) -> GateCondition:
        incident = self._parts.desk.latches.latched.get(self._template)
        if incident is None:
            return _condition("latch", Tri.YES, "an automatic rollback is possible")
        return _condition(
            "latch", Tri.NO, f"{incident} used its automatic rollback: figwatch rollback re-arm {self._template}"
        )

    def _data(self) -> GateCondition:
        plan = self._route.plan
        if self._to is Stage.SHADOW:
            return _condition("data", Tri.YES, "users go on to get what legacy answers")
        if plan is None:
            return _condition("data", Tri.UNKNOWN, "no rollback plan says what happens to data")
        if plan.data is DataPlan.FORWARD_ONLY and self._to is not Stage.RETIRED:
            loss = f": {plan.data_loss}" if plan.data_loss else ""
            return _condition("data", Tri.NO, f"plan {plan.name} is forward_only, a rollback would lose data{loss}")
        return _condition("data", Tri.YES, f"plan {plan.name} is {plan.data}")

    def _criteria(self, at: Instant) -> Iterator[GateCondition]:
        """Those about how good this route is."""
        desk = self._parts.desk
        incidents = (*(case.incident for case in desk.cases.values()), *reversed(desk.closed))
        for (service, criterion), figure in zip(
            self._parts.rings.catalog.criteria, measured(self._parts, incidents, at), strict=True
        ):
            about = criterion.route in (None, self._template) and service.service in ("", self._route.service.service)
            if criterion.measure in _DECIDES and about and not self._without_incident(figure):
                yield _judged(figure)

    def _without_incident(self, figure: Measured) -> bool:
        """That nothing broke so far is no reason to wait until something does."""
        return figure.criterion.measure is Measure.MTTR and figure.counts is None

    def _unused(self) -> GateCondition:
        row = self._parts.rings.traffic(UNUSED_OVER)[self._route.index]
        legacy = int(row[TRAFFIC_SIDES.index("legacy")])
        said = f"{legacy} requests were served by legacy in the last {format_duration(UNUSED_OVER)}"
        stream = next((s for s in self._streams() if s.sided), None)
        covered = 0 if stream is None else self._parts.rings.covered_at_least(UNUSED_OVER, stream.index)
        if legacy:
            return _condition("legacy unused", Tri.NO, said)
        share = Fraction(covered, UNUSED_OVER)
        holds = Tri.YES if share >= FLOOR else Tri.UNKNOWN
        return _condition("legacy unused", holds, f"{said}, {float(share):.1%} of it measured")


def _condition(name: str, holds: Tri, evidence: str) -> GateCondition:
    return GateCondition(name=name, holds=holds, evidence=evidence)


def _kept(account: RequestUptime, stream: Stream, over: Duration) -> str:
    low, high = account.lower_bound, account.upper_bound
    unit = "probed time down" if stream.probed else "events bad"
    counted = (
        f"{format_seconds(account.bad_high)} of {format_seconds(account.total_high)}"
        if stream.probed
        else f"{account.bad_high} of {account.total_high}"
    )
    bounds = "" if low is None or high is None else f"; good for {float(low):.4%} to {float(high):.4%} of them"
    return (
        f"{counted} {unit} in {format_duration(over)}, {float(account.coverage):.2%} measured, the rest "
        f"counted bad{bounds}, objective {float(stream.slo.objective):.10g}"
    )


def _sides_said(outcome: Outcome, figures: WindowFigures, control: str) -> str:
    words = {
        Outcome.WORSE: "the service is worse",
        Outcome.SHARED: "both sides fail",
        Outcome.NOT_WORSE: "the service is as good",
        Outcome.UNDECIDED: "not enough requests to tell the sides apart",
    }
    service, other = figures.sides.service, figures.sides.control
    return (
        f"{words[outcome]}: service {service.bad} bad of {service.total} (at most {figures.service_high:.4%}), "
        f"{control} {other.bad} of {other.total} (at least {figures.control_low:.4%}), "
        f"margin {float(figures.margin):.4%}, last {format_duration(figures.sides.window)}"
    )


def _judged(figure: Measured) -> GateCondition:
    criterion = figure.criterion
    try:
        verdict = judge_measured(parse_target(criterion.target), figure).verdict
    except TargetError as error:
        return _condition(f"criterion {criterion.name}", Tri.UNKNOWN, str(error))
    said = "; ".join(
        text for text in (figure.reason if verdict is Verdict.INCONCLUSIVE else "", figure.evidence) if text
    )
    return _condition(f"criterion {criterion.name}", _WORDS[verdict], f"{criterion.target}: {verdict}; {said}")
