"""A route moves on only where every condition is known to hold; each says why."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import pytest
from jsonschema import Draft202012Validator

from figwatch_agent.durations import HOUR, MINUTE, SECOND
from figwatch_agent.engine.desk import Baseline
from figwatch_agent.model.gate import ORDER, GateAnswer, following
from figwatch_agent.model.names import DataPlan, Measure, Stage, Tri
from figwatch_agent.model.slo import Criterion, ServiceSlos
from figwatch_agent.report.gate import gate_document, gate_table
from figwatch_agent.web.openapi import openapi_document
from support.world import CHAT, World, plan, service, settings

YES, NO, UNKNOWN = Tri.YES, Tri.NO, Tri.UNKNOWN


def slos(stage: Stage = Stage.CANARY, criteria: tuple[Criterion, ...] = ()) -> ServiceSlos:
    """The chat service with windows of minutes, at 99 %."""
    made = service(objective=Fraction(99, 100), stage=stage)
    return replace(made, window=MINUTE, criteria=criteria)


def lived(
    files: ServiceSlos | None = None, data: DataPlan = DataPlan.STATELESS, seconds: int = 70, **traffic: int
) -> World:
    """A good minute of traffic on both sides."""
    world = World((files or slos(),), settings(plans=(plan(data=data),)))
    world.tick()
    world.both(seconds, **(traffic or {"rate": 100, "legacy": 200}))
    return world


def asked(world: World, to: Stage | None = None, over: int | None = None, later: int = 0) -> GateAnswer:
    """The gate now."""
    answer = world.engine.gate(CHAT, to, world.now + later, over)
    assert answer is not None
    return answer


def holds(answer: GateAnswer) -> dict[str, Tri]:
    """By condition."""
    return {each.name: each.holds for each in answer.conditions}


def said(answer: GateAnswer, name: str) -> str:
    """The evidence of a condition."""
    return next(each.evidence for each in answer.conditions if each.name == name)


def test_a_route_that_keeps_its_promises_moves_on_to_the_next_stage() -> None:
    answer = asked(lived())
    assert [(each.name, each.evidence) for each in answer.conditions if each.holds is not YES] == []
    assert (answer.stage, answer.to, answer.passes) == (Stage.CANARY, Stage.MIGRATED, YES)
    assert {"measured", "comparison", "incidents", "latch", "data", "budget chat-availability"} <= set(holds(answer))


def test_a_route_that_no_file_declares_and_an_engine_without_a_tick_give_no_answer() -> None:
    assert lived().engine.gate("/nowhere", None, 0) is None
    assert World((slos(),)).engine.gate(CHAT, None, 0) is None


def test_unmeasured_time_counts_as_bad_and_below_the_floor_as_unknown() -> None:
    world = lived(seconds=45)
    answer = asked(world)
    assert holds(answer)["budget chat-availability"] is UNKNOWN
    assert "the rest counted bad" in said(answer, "budget chat-availability")
    assert answer.passes is UNKNOWN
    assert holds(asked(world, over=30 * SECOND))["budget chat-availability"] is YES


def test_a_spent_budget_is_a_no_whatever_else_is_unknown() -> None:
    world = lived(seconds=50)
    world.both(20, service_bad=20, legacy_bad=50, rate=100, legacy=200)
    answer = asked(world)
    assert holds(answer)["budget chat-availability"] is NO
    assert answer.passes is NO


def test_the_service_must_not_be_worse_than_legacy() -> None:
    world = lived()
    world.both(10, service_bad=60, rate=100, legacy=200)
    answer = asked(world)
    assert holds(answer)["comparison"] is NO
    assert "the service is worse" in said(answer, "comparison")


def test_few_requests_do_not_tell_the_sides_apart() -> None:
    assert holds(asked(lived(rate=2, legacy=2)))["comparison"] is UNKNOWN


def test_without_legacy_the_recorded_baseline_is_the_control_and_without_it_nothing_is() -> None:
    world = lived(rate=100, legacy=0)
    assert holds(asked(world))["comparison"] is UNKNOWN
    world.engine._desk.baselines[CHAT] = Baseline(bad=10, total=1_000_000)
    assert holds(asked(world))["comparison"] is YES


def test_an_open_incident_stands_in_the_way() -> None:
    world = lived()
    world.both(20, service_bad=90, rate=100, legacy=200)
    assert holds(asked(world))["incidents"] is NO
    assert world.incident().id in said(asked(world), "incidents")


def test_a_latched_route_waits_for_a_person() -> None:
    world = lived()
    world.engine._desk.latches.fasten(CHAT, "inc-1", world.now, automatic=True)
    assert holds(asked(world))["latch"] is NO
    assert "re-arm" in said(asked(world), "latch")


@pytest.mark.parametrize(
    ("data", "to", "answer"),
    [
        (DataPlan.STATELESS, Stage.MIGRATED, YES),
        (DataPlan.DUAL_WRITE, Stage.MIGRATED, YES),
        (DataPlan.FORWARD_ONLY, Stage.MIGRATED, NO),  # a rollback would lose what the service wrote
        (DataPlan.FORWARD_ONLY, Stage.RETIRED, YES),  # nobody goes back from there
    ],
)
def test_the_data_plan_says_what_a_way_back_would_cost(data: DataPlan, to: Stage, answer: Tri) -> None:
    assert holds(asked(lived(data=data, seconds=3), to))["data"] is answer


def test_without_a_plan_nobody_knows_what_happens_to_data() -> None:
    files = slos()
    files = replace(files, routes=tuple(replace(route, rollback=None) for route in files.routes))
    world = lived(files, seconds=3)
    assert holds(asked(world))["data"] is UNKNOWN


@pytest.mark.parametrize(
    ("stage", "to", "ahead"),
    [
        (Stage.CANARY, Stage.MIGRATED, YES),
        (Stage.CANARY, Stage.RETIRED, YES),
        (Stage.CANARY, Stage.CANARY, NO),  # it is there
        (Stage.MIGRATED, Stage.CANARY, NO),  # that is back
        (Stage.RETIRED, None, NO),  # nothing follows
    ],
)
def test_a_route_moves_forward(stage: Stage, to: Stage | None, ahead: Tri) -> None:
    assert holds(asked(lived(slos(stage), seconds=3), to))["stage"] is ahead


@pytest.mark.parametrize("stage", [Stage.LEGACY, Stage.SHADOW])
def test_before_users_are_served_there_is_nothing_to_compare(stage: Stage) -> None:
    assert holds(asked(lived(slos(stage), seconds=3)))["comparison"] is YES


def test_to_be_retired_legacy_must_serve_nothing_and_that_must_have_been_measured() -> None:
    busy = lived(slos(Stage.MIGRATED), seconds=3)
    assert holds(asked(busy))["legacy unused"] is NO
    quiet = lived(slos(Stage.MIGRATED), seconds=3, rate=10, legacy=0)
    assert holds(asked(quiet))["legacy unused"] is UNKNOWN
    slow = World((slos(Stage.MIGRATED),), settings(interval=20 * SECOND))
    slow.run(HOUR // SECOND * 6 // 10, step=20.0, good=1)
    assert holds(asked(slow))["legacy unused"] is YES


def test_criteria_about_the_route_decide_and_others_do_not() -> None:
    criteria = (
        Criterion(name="p95", measure=Measure.LATENCY_P95, target="< 10ms", over=MINUTE),
        Criterion(name="elsewhere", measure=Measure.LATENCY_P95, target="< 1ms", over=MINUTE, route="/other"),
        Criterion(name="mttr", measure=Measure.MTTR, target="< 15m", over=HOUR),
        Criterion(name="loss", measure=Measure.DATA_LOSS, target="<= 0", over=MINUTE),
        Criterion(name="legacy", measure=Measure.LEGACY_RATIO, target="< 1%", over=MINUTE),
    )
    found = holds(asked(lived(slos(criteria=criteria))))
    assert found["criterion p95"] is NO
    assert found["criterion loss"] is UNKNOWN
    assert not {"criterion elsewhere", "criterion mttr", "criterion legacy"} & set(found)


def test_an_agent_that_does_not_run_any_more_lets_nothing_pass() -> None:
    answer = asked(lived(), later=MINUTE)
    assert holds(answer)["measured"] is UNKNOWN
    assert answer.passes is UNKNOWN


def test_a_route_whose_requests_are_not_measured_now_waits() -> None:
    world = lived()
    world.up = False
    world.tick()
    assert holds(asked(world))["measured"] is UNKNOWN


def test_asking_changes_nothing() -> None:
    world = lived()
    first, second = asked(world), asked(world)
    assert first == second


def test_the_document_keeps_to_its_schema_and_the_table_begins_with_what_does_not_hold() -> None:
    world = lived(data=DataPlan.FORWARD_ONLY)
    document = json.loads(json.dumps(gate_document(asked(world)), allow_nan=False))
    schema = {"$ref": "#/components/schemas/Gate", "components": openapi_document()["components"]}
    Draft202012Validator(schema).validate(document)
    assert gate_table(document).rows[0][:2] == ("data", "no")


def test_stages_follow_each_other() -> None:
    assert [following(stage) for stage in ORDER] == [*ORDER[1:], Stage.RETIRED]
