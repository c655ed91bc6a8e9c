"""Every condition of the guard, alone."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from figwatch_agent.decide.guard import SidesSeen, Situation, weigh
from figwatch_agent.durations import HOUR, MINUTE, SECOND
from figwatch_agent.model.batch import Reading
from figwatch_agent.model.decision import DecisionOutcome, Reason
from figwatch_agent.model.names import DataPlan, Mode, Stage, Tri
from figwatch_agent.model.plan import HttpCall, LagReading
from figwatch_agent.model.settings import Rollback
from support.world import CHAT, START, plan

LEGACY, GATEWAY, LAG = "chat-to-legacy/legacy", "chat-to-legacy/gateway", "chat-to-legacy/lag"
TEN_SECONDS = 10 * SECOND
"""As long as an answer speaks."""


def reading(name: str, ok: bool = True, value: str = "", age: int = SECOND) -> Reading:
    return Reading(name=name, at=START - age, ok=ok, detail="200 in 3 ms", value=value)


def good(**changed: Any) -> Situation:
    """A situation in which everything holds."""
    situation = Situation(
        now=START,
        route=CHAT,
        stage=Stage.CANARY,
        plan=plan(),
        plan_digest="abc",
        settings=Rollback(mode=Mode.AUTO),
        paging=("chat-availability, tier early",),
        measured=True,
        sides=SidesSeen(outcome="worse", evidence="worse"),
        readings={LEGACY: reading(LEGACY), GATEWAY: reading(GATEWAY, value="1")},
        gateway_at_start="1",
        legacy_rate=Fraction(10),
        route_rate=Fraction(40),
        already_run=False,
        latched=False,
        last_rollback=None,
        recent_rollbacks=0,
        kill_switch=False,
        store_healthy=True,
    )
    return replace(situation, **changed)


def with_reading(each: Reading) -> dict[str, Any]:
    return {"readings": good().readings | {each.name: each}}


def dual_write(lag: Reading | None) -> dict[str, Any]:
    call = HttpCall(method="GET", url="http://127.0.0.1:3/lag")
    readings = good().readings | ({LAG: lag} if lag is not None else {})
    lagging = LagReading(read=call, field="seconds", at_most=2 * SECOND)
    return {"plan": replace(plan(data=DataPlan.DUAL_WRITE), lag=lagging), "readings": readings}


SWITCHED = Rollback(mode=Mode.AUTO, kill_switch="/run/figwatch.stop")

WITHHELD = [
    ({"paging": ()}, Reason.NO_PAGE_TIER),
    ({"measured": False}, Reason.STALE_DATA),
    ({"sides": SidesSeen(outcome="shared", evidence="counts")}, Reason.SHARED_CAUSE),
    ({"sides": SidesSeen(outcome="not_worse", evidence="counts")}, Reason.NOT_WORSE),
    ({"sides": SidesSeen(outcome="undecided", evidence="counts")}, Reason.COMPARISON_UNDECIDED),
    ({"sides": SidesSeen(outcome="no_control", evidence="counts")}, Reason.NO_CONTROL),
    ({"plan": None}, Reason.NO_PLAN),
    (with_reading(reading(LEGACY, ok=False)), Reason.LEGACY_UNFIT),
    (with_reading(reading(LEGACY, age=TEN_SECONDS + 1)), Reason.LEGACY_UNKNOWN),
    ({"readings": {GATEWAY: reading(GATEWAY, value="1")}}, Reason.LEGACY_UNKNOWN),
    ({"route_rate": Fraction(491)}, Reason.OVER_CAPACITY),
    ({"plan": plan(data=DataPlan.FORWARD_ONLY)}, Reason.FORWARD_ONLY),
    ({"stage": Stage.RETIRED}, Reason.RETIRED_ROUTE),
    ({"plan": plan(data=DataPlan.DUAL_WRITE)}, Reason.LAG_UNKNOWN),
    (dual_write(None), Reason.LAG_UNKNOWN),
    (dual_write(reading(LAG, ok=False, value="1")), Reason.LAG_UNKNOWN),
    (dual_write(reading(LAG, value="1", age=TEN_SECONDS + 1)), Reason.LAG_UNKNOWN),
    (dual_write(reading(LAG, value="soon")), Reason.LAG_UNKNOWN),
    (dual_write(reading(LAG, value="-1")), Reason.LAG_UNKNOWN),
    (dual_write(reading(LAG, value='{"seconds":2.001}')), Reason.LAG_TOO_LARGE),
    ({"readings": {LEGACY: reading(LEGACY)}}, Reason.GATEWAY_UNKNOWN),
    (with_reading(reading(GATEWAY, value="1", age=TEN_SECONDS + 1)), Reason.GATEWAY_UNKNOWN),
    ({"gateway_at_start": None}, Reason.GATEWAY_UNKNOWN),
    ({"gateway_at_start": "0"}, Reason.GATEWAY_CHANGED),
    ({"already_run": True}, Reason.ALREADY_RUNNING),
    ({"kill_switch": True, "settings": SWITCHED}, Reason.KILL_SWITCH),
    ({"store_healthy": False}, Reason.AGENT_UNHEALTHY),
    ({"latched": True}, Reason.LATCHED),
    ({"last_rollback": START - 30 * MINUTE + 1}, Reason.COOL_DOWN),
    ({"recent_rollbacks": 3}, Reason.BLAST_CAP),
    ({"settings": Rollback(mode=Mode.AUTO, freeze=((START, START + 1),))}, Reason.FREEZE),
]
"""What stands against a rollback, one thing at a time."""

SAID = [
    ("page_tier", Tri.NO, "no page tier of this route fires now"),
    ("page_tier", Tri.UNKNOWN, "the edge was not measured in this tick"),
    ("worse_than_control", Tri.NO, "counts"),
    ("worse_than_control", Tri.NO, "counts"),
    ("worse_than_control", Tri.UNKNOWN, "counts"),
    ("worse_than_control", Tri.UNKNOWN, "counts"),
    ("legacy_fit", Tri.UNKNOWN, "the route names no rollback plan"),
    ("legacy_fit", Tri.NO, "legacy's own probe fails: 200 in 3 ms (1.0 s ago)"),
    ("legacy_fit", Tri.UNKNOWN, "legacy's own probe was not answered lately"),
    ("legacy_fit", Tri.UNKNOWN, "legacy's own probe was not answered lately"),
    ("legacy_fit", Tri.NO, "too much traffic: 501 requests/s after the rollback, capacity 500/s"),
    ("data_safe", Tri.NO, "forward_only: legacy would lack what the service wrote"),
    ("data_safe", Tri.NO, "the route is retired: legacy cannot serve it any more"),
    ("data_safe", Tri.UNKNOWN, "dual_write, and the plan does not say how to read the lag"),
    ("data_safe", Tri.UNKNOWN, "dual_write, and the lag could not be read lately"),
    ("data_safe", Tri.UNKNOWN, "dual_write, and the lag could not be read lately"),
    ("data_safe", Tri.UNKNOWN, "dual_write, and the lag could not be read lately"),
    ("data_safe", Tri.UNKNOWN, "dual_write, and 'soon' is no lag in seconds"),
    ("data_safe", Tri.UNKNOWN, "dual_write, and '-1' is no lag in seconds"),
    ("data_safe", Tri.NO, "dual_write, legacy is 2.001 s behind, at most 2s"),
    ("gateway_unchanged", Tri.UNKNOWN, "the gateway could not be read lately"),
    ("gateway_unchanged", Tri.UNKNOWN, "the gateway could not be read lately"),
    ("gateway_unchanged", Tri.UNKNOWN, "the gateway could not be read when the incident began"),
    ("gateway_unchanged", Tri.NO, "somebody changed it since the incident began: 0 became 1"),
    ("allowed", Tri.NO, "this incident's one rollback was carried out already"),
    ("allowed", Tri.NO, "the kill switch /run/figwatch.stop is set"),
    ("allowed", Tri.NO, "the state cannot be written: nothing is begun"),
    ("allowed", Tri.NO, "rolled back before; a person must re-arm the route"),
    ("allowed", Tri.NO, "less than 30m since the last rollback"),
    ("allowed", Tri.NO, "3 automatic rollbacks within 1d, at most 3"),
    ("allowed", Tri.NO, "a freeze is declared for now"),
]
"""Which condition each of them is, and in which words a person reads it."""

PASSES = [
    {},
    {"route_rate": Fraction(490)},
    with_reading(reading(LEGACY, age=TEN_SECONDS)),
    dual_write(reading(LAG, value='{"seconds":2}')),
    dual_write(reading(LAG, value='{"seconds":0}')),
    dual_write(reading(LAG, value='{"at":3,"seconds":"1"}', age=TEN_SECONDS)),
    with_reading(reading(GATEWAY, value="1", age=TEN_SECONDS)),
    {"last_rollback": START - 30 * MINUTE},
    {"recent_rollbacks": 2},
    {"settings": Rollback(mode=Mode.AUTO, freeze=((START - HOUR, START), (START + 1, START + 2)))},
    {"plan": replace(plan(), gateway=None), "gateway_at_start": None},
]
"""The other side of each threshold."""

PERSONAL = {Reason.LATCHED, Reason.COOL_DOWN, Reason.BLAST_CAP, Reason.FREEZE}
"""What only holds back what happens by itself."""


@pytest.mark.parametrize(("changed", "reason"), WITHHELD)
def test_what_does_not_hold_withholds_and_gives_its_reason(changed: dict[str, Any], reason: Reason) -> None:
    decision = weigh(good(**changed))
    assert (decision.outcome, decision.reason) == (DecisionOutcome.WITHHELD, reason)
    assert any(each.reason is reason and each.holds is not Tri.YES and each.evidence for each in decision.conditions)


@pytest.mark.parametrize(("changed", "said"), list(zip((changed for changed, _ in WITHHELD), SAID, strict=True)))
def test_what_does_not_hold_is_named_and_told(changed: dict[str, Any], said: tuple[str, Tri, str]) -> None:
    reason = weigh(good(**changed)).reason
    told = [each for each in weigh(good(**changed)).conditions if each.reason is reason]
    assert (told[0].name, told[0].holds, told[0].evidence) == said


@pytest.mark.parametrize("changed", PASSES)
def test_what_holds_is_carried_out(changed: dict[str, Any]) -> None:
    decision = weigh(good(**changed))
    assert (decision.outcome, decision.reason) == (DecisionOutcome.ROLLBACK, Reason.CONDITIONS_HOLD)
    names = [each.name for each in decision.conditions if each.holds is Tri.YES and each.evidence and not each.reason]
    assert names == ["page_tier", "worse_than_control", "legacy_fit", "data_safe", "gateway_unchanged", "allowed"]


HOLDS = [
    ({}, 2, "legacy's own probe is good: 200 in 3 ms (1.0 s ago); 50 requests/s after the rollback, capacity 500/s"),
    (
        with_reading(reading(LEGACY, age=-SECOND)),  # answered while the tick was being looked at
        2,
        "legacy's own probe is good: 200 in 3 ms (0.0 s ago); 50 requests/s after the rollback, capacity 500/s",
    ),
    ({"plan": plan(capacity=None)}, 2, "legacy's own probe is good: 200 in 3 ms (1.0 s ago); no capacity declared"),
    ({}, 4, "as it stood when the incident began: 1"),
    ({}, 5, "mode auto; no latch, cool-down, cap, freeze or kill switch stands against it"),
    ({"approved_by": "ann"}, 5, "approved by ann; no latch, cool-down, cap, freeze or kill switch stands against it"),
]


@pytest.mark.parametrize(("changed", "place", "said"), HOLDS)
def test_what_holds_is_told_as_well(changed: dict[str, Any], place: int, said: str) -> None:
    assert weigh(good(**changed)).conditions[place].evidence == said


@pytest.mark.parametrize(("changed", "reason"), WITHHELD)
def test_a_person_overrides_only_what_protects_against_the_agent_itself(
    changed: dict[str, Any], reason: Reason
) -> None:
    decision = weigh(good(**changed, approved_by="ann"))
    assert (decision.outcome is DecisionOutcome.ROLLBACK) == (reason in PERSONAL)


@pytest.mark.parametrize(
    ("mode", "outcome"),
    [(Mode.DRY_RUN, DecisionOutcome.DRY_RUN), (Mode.APPROVE, DecisionOutcome.AWAITING_APPROVAL)],
)
def test_the_mode_decides_last(mode: Mode, outcome: DecisionOutcome) -> None:
    assert weigh(good(settings=Rollback(mode=mode))).outcome is outcome
    assert weigh(good(settings=Rollback(mode=mode), kill_switch=True)).outcome is DecisionOutcome.WITHHELD


def test_a_precondition_that_fails_makes_legacy_unfit() -> None:
    call = HttpCall(method="GET", url="http://127.0.0.1:3/ready")
    asked = replace(plan(), preconditions=(call,))
    assert weigh(good(plan=asked)).reason is Reason.LEGACY_UNKNOWN
    name = "chat-to-legacy/precondition-0"
    assert weigh(good(plan=asked, **with_reading(reading(name, ok=False)))).reason is Reason.LEGACY_UNFIT
    assert weigh(good(plan=asked, **with_reading(reading(name)))).outcome is DecisionOutcome.ROLLBACK


@given(picked=st.lists(st.sampled_from(WITHHELD), min_size=1, max_size=6), mode=st.sampled_from(Mode))
def test_no_combination_of_reasons_against_it_ends_in_a_rollback(
    picked: list[tuple[dict[str, Any], Reason]], mode: Mode
) -> None:
    changed: dict[str, Any] = {}
    standing: dict[str, Reason] = {}
    for change, reason in picked:
        if not changed.keys() & change.keys() and "settings" not in change:
            changed |= change
            standing |= dict.fromkeys(change, reason)
    decision = weigh(good(**({"settings": Rollback(mode=mode)} | changed)))
    assert (decision.outcome is DecisionOutcome.WITHHELD) == bool(standing)
    assert not standing or decision.reason in {*standing.values(), Reason.NO_PLAN}
