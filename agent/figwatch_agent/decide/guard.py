"""May the route be sent back, and would it help? Every condition is answered, with evidence, before anything is done.

Unknown is never yes: what was not measured, not read or not declared withholds.
"""

from dataclasses import dataclass
from fractions import Fraction

from figwatch_agent.durations import SECOND, Duration, Instant, format_duration, format_seconds
from figwatch_agent.model.batch import Reading
from figwatch_agent.model.decision import Condition, Decision, DecisionOutcome, Reason
from figwatch_agent.model.names import DataPlan, Mode, Stage, Tri
from figwatch_agent.model.plan import RollbackPlan
from figwatch_agent.model.settings import Rollback

READING_HOLDS: Duration = 10 * SECOND
"""A reading older than this is unknown; readings are made every two seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SidesSeen:
    """What the comparison of the sides said, in words that the guard weighs."""

    outcome: str  # worse | not_worse | shared | undecided | no_control
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Everything the guard looks at."""

    now: Instant
    route: str
    stage: Stage
    plan: RollbackPlan | None
    plan_digest: str | None
    settings: Rollback
    paging: tuple[str, ...]  # page tiers of the route that fire now, in words
    measured: bool  # the edge was measured in this very tick
    sides: SidesSeen
    readings: dict[str, Reading]  # newest by name
    gateway_at_start: str | None  # the gateway's reading when the incident began
    legacy_rate: Fraction  # requests a second that legacy serves now, all routes
    route_rate: Fraction  # requests a second that would be added
    already_run: bool  # this incident's one execution was used
    latched: bool  # the route was rolled back and nobody re-armed it
    last_rollback: Instant | None  # of this route
    recent_rollbacks: int  # automatic ones of any route within the blast window
    kill_switch: bool
    store_healthy: bool
    approved_by: str | None = None


def weigh(situation: Situation) -> Decision:
    """The decision: the first condition that does not hold gives its reason; then the mode decides."""
    conditions = (
        _page_tier(situation),
        _worse(situation),
        _legacy_fit(situation),
        _data(situation),
        _gateway(situation),
        _allowed(situation),
    )
    broken = next((condition for condition in conditions if condition.holds is not Tri.YES), None)
    if broken is not None:
        return _decision(situation, DecisionOutcome.WITHHELD, broken.reason or Reason.NO_PLAN, conditions)
    if situation.approved_by is not None or situation.settings.mode is Mode.AUTO:
        return _decision(situation, DecisionOutcome.ROLLBACK, Reason.CONDITIONS_HOLD, conditions)
    if situation.settings.mode is Mode.APPROVE:
        return _decision(situation, DecisionOutcome.AWAITING_APPROVAL, Reason.AWAITING_APPROVAL, conditions)
    return _decision(situation, DecisionOutcome.DRY_RUN, Reason.DRY_RUN, conditions)


def _decision(
    situation: Situation, outcome: DecisionOutcome, reason: Reason, conditions: tuple[Condition, ...]
) -> Decision:
    return Decision(
        at=situation.now,
        outcome=outcome,
        reason=reason,
        conditions=conditions,
        plan=situation.plan.name if situation.plan else None,
        plan_digest=situation.plan_digest,
    )


def _condition(name: str, holds: Tri, evidence: str, reason: Reason | None = None) -> Condition:
    return Condition(name=name, holds=holds, evidence=evidence, reason=None if holds is Tri.YES else reason)


def _page_tier(situation: Situation) -> Condition:
    name = "page_tier"
    if not situation.paging:
        return _condition(name, Tri.NO, "no page tier of this route fires now", Reason.NO_PAGE_TIER)
    if not situation.measured:
        return _condition(name, Tri.UNKNOWN, "the edge was not measured in this tick", Reason.STALE_DATA)
    return _condition(name, Tri.YES, "fires on fresh edge data: " + ", ".join(situation.paging))


_SIDES: dict[str, tuple[Tri, Reason]] = {
    "worse": (Tri.YES, Reason.CONDITIONS_HOLD),
    "shared": (Tri.NO, Reason.SHARED_CAUSE),
    "not_worse": (Tri.NO, Reason.NOT_WORSE),
    "undecided": (Tri.UNKNOWN, Reason.COMPARISON_UNDECIDED),
    "no_control": (Tri.UNKNOWN, Reason.NO_CONTROL),
}


def _worse(situation: Situation) -> Condition:
    holds, reason = _SIDES[situation.sides.outcome]
    return _condition("worse_than_control", holds, situation.sides.evidence, reason)


def _legacy_fit(situation: Situation) -> Condition:
    name, plan = "legacy_fit", situation.plan
    if plan is None:
        return _condition(name, Tri.UNKNOWN, "the route names no rollback plan", Reason.NO_PLAN)
    asked = [f"{plan.name}/legacy", *(f"{plan.name}/precondition-{i}" for i in range(len(plan.preconditions)))]
    told: list[str] = []
    for question in asked:
        reading = situation.readings.get(question)
        word = question.removeprefix(plan.name + "/").replace("legacy", "legacy's own probe")
        if reading is None or situation.now - reading.at > READING_HOLDS:
            return _condition(name, Tri.UNKNOWN, f"{word} was not answered lately", Reason.LEGACY_UNKNOWN)
        age = format_seconds(max(situation.now - reading.at, 0))
        if not reading.ok:
            return _condition(name, Tri.NO, f"{word} fails: {reading.detail} ({age} ago)", Reason.LEGACY_UNFIT)
        told.append(f"{word} is good: {reading.detail} ({age} ago)")
    capacity = plan.legacy.capacity_per_second
    if capacity is None:
        return _condition(name, Tri.YES, "; ".join(told) + "; no capacity declared")
    load = situation.legacy_rate + situation.route_rate
    sentence = f"{float(load):.0f} requests/s after the rollback, capacity {capacity}/s"
    if load > capacity:
        return _condition(name, Tri.NO, f"too much traffic: {sentence}", Reason.OVER_CAPACITY)
    return _condition(name, Tri.YES, "; ".join(told) + f"; {sentence}")


def _data(situation: Situation) -> Condition:
    name, plan = "data_safe", situation.plan
    if situation.stage is Stage.RETIRED:
        return _condition(name, Tri.NO, "the route is retired: legacy cannot serve it any more", Reason.RETIRED_ROUTE)
    if plan is None:
        return _condition(name, Tri.UNKNOWN, "the route names no rollback plan", Reason.NO_PLAN)
    if plan.data is DataPlan.FORWARD_ONLY:
        lost = plan.data_loss or "what the service wrote"
        return _condition(name, Tri.NO, f"forward_only: legacy would lack {lost}", Reason.FORWARD_ONLY)
    if plan.data is DataPlan.STATELESS:
        return _condition(name, Tri.YES, "stateless: there is no data to lose")
    return _lag(situation, plan)


def _lag(situation: Situation, plan: RollbackPlan) -> Condition:
    name = "data_safe"
    if plan.lag is None:
        return _condition(
            name, Tri.UNKNOWN, "dual_write, and the plan does not say how to read the lag", Reason.LAG_UNKNOWN
        )
    reading = situation.readings.get(f"{plan.name}/lag")
    if reading is None or not reading.ok or situation.now - reading.at > READING_HOLDS:
        return _condition(name, Tri.UNKNOWN, "dual_write, and the lag could not be read lately", Reason.LAG_UNKNOWN)
    lag = _seconds(reading.value)
    if lag is None:
        return _condition(
            name, Tri.UNKNOWN, f"dual_write, and {reading.value!r} is no lag in seconds", Reason.LAG_UNKNOWN
        )
    limit = format_duration(plan.lag.at_most)
    if lag * SECOND > plan.lag.at_most:
        return _condition(
            name, Tri.NO, f"dual_write, legacy is {float(lag):g} s behind, at most {limit}", Reason.LAG_TOO_LARGE
        )
    return _condition(name, Tri.YES, f"dual_write, legacy is {float(lag):g} s behind, at most {limit}")


def _seconds(value: str) -> Fraction | None:
    """The number in a reading of one field, such as ``{"seconds":0.2}``."""
    try:
        number = Fraction(value.rpartition(":")[2].strip(' }"'))
    except (ValueError, ZeroDivisionError):
        return None
    return number if number >= 0 else None


def _gateway(situation: Situation) -> Condition:
    name, plan = "gateway_unchanged", situation.plan
    if plan is None:
        return _condition(name, Tri.UNKNOWN, "the route names no rollback plan", Reason.NO_PLAN)
    if plan.gateway is None:
        return _condition(name, Tri.YES, "the plan does not read the gateway")
    reading = situation.readings.get(f"{plan.name}/gateway")
    if reading is None or not reading.ok or situation.now - reading.at > READING_HOLDS:
        return _condition(name, Tri.UNKNOWN, "the gateway could not be read lately", Reason.GATEWAY_UNKNOWN)
    if situation.gateway_at_start is None:
        return _condition(
            name, Tri.UNKNOWN, "the gateway could not be read when the incident began", Reason.GATEWAY_UNKNOWN
        )
    if reading.value != situation.gateway_at_start:
        return _condition(
            name,
            Tri.NO,
            f"somebody changed it since the incident began: {situation.gateway_at_start} became {reading.value}",
            Reason.GATEWAY_CHANGED,
        )
    return _condition(name, Tri.YES, f"as it stood when the incident began: {reading.value}")


def _allowed(situation: Situation) -> Condition:
    name, rules, person = "allowed", situation.settings, situation.approved_by
    refusals: list[tuple[bool, Reason, str]] = [
        (situation.already_run, Reason.ALREADY_RUNNING, "this incident's one rollback was carried out already"),
        (situation.kill_switch, Reason.KILL_SWITCH, f"the kill switch {rules.kill_switch} is set"),
        (not situation.store_healthy, Reason.AGENT_UNHEALTHY, "the state cannot be written: nothing is begun"),
        (person is None and situation.latched, Reason.LATCHED, "rolled back before; a person must re-arm the route"),
        (
            person is None and _cooling(situation),
            Reason.COOL_DOWN,
            f"less than {format_duration(rules.cool_down)} since the last rollback",
        ),
        (
            person is None and situation.recent_rollbacks >= rules.blast_cap,
            Reason.BLAST_CAP,
            f"{situation.recent_rollbacks} automatic rollbacks within {format_duration(rules.blast_window)}, "
            f"at most {rules.blast_cap}",
        ),
        (person is None and _frozen(situation), Reason.FREEZE, "a freeze is declared for now"),
    ]
    for refused, reason, evidence in refusals:
        if refused:
            return _condition(name, Tri.NO, evidence, reason)
    who = f"approved by {person}" if person is not None else f"mode {rules.mode.value}"
    return _condition(name, Tri.YES, f"{who}; no latch, cool-down, cap, freeze or kill switch stands against it")


def _cooling(situation: Situation) -> bool:
    last = situation.last_rollback
    return last is not None and situation.now - last < situation.settings.cool_down


def _frozen(situation: Situation) -> bool:
    return any(start <= situation.now < end for start, end in situation.settings.freeze)
