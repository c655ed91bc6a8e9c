"""What the guard decides in a running engine, and what follows from it."""

from dataclasses import replace
from typing import Any

import pytest

from figwatch_agent.durations import HOUR, MINUTE, SECOND
from figwatch_agent.model.command import CommandKind
from figwatch_agent.model.decision import DecisionOutcome, Reason
from figwatch_agent.model.effect import RollbackState
from figwatch_agent.model.incident import IncidentKind, RollbackVerdict
from figwatch_agent.model.names import AlertName, DataPlan, Mode, Stage
from figwatch_agent.model.outcome import TransitionKind
from figwatch_agent.model.page import PageKind
from support.engine import compact, wish
from support.world import CHAT, START, World, plan, settings


def world_of(
    mode: Mode = Mode.AUTO, stage: Stage = Stage.CANARY, data: DataPlan = DataPlan.STATELESS, **rules: Any
) -> World:
    return World((compact(stage=stage),), settings(mode=mode, plans=(plan(data=data),), **rules))


def fault(world: World, seconds: int = 8) -> World:
    """Steady, then the service side fails whole."""
    world.both(20)
    world.both(seconds, service_bad=40)
    return world


def reason(world: World) -> Reason:
    decision = world.incident().decision
    assert decision is not None
    return decision.reason


def outcome(world: World) -> DecisionOutcome:
    decision = world.incident().decision
    assert decision is not None
    return decision.outcome


def done(state: RollbackState = RollbackState.DONE, **rules: Any) -> World:
    """A world whose route was sent back."""
    world = fault(world_of(**rules))
    world.rolled_back(state)
    return world


def ask(world: World, kind: CommandKind, subject: str, **more: Any) -> None:
    world.commands.append(wish(world, kind, subject, f"c{world.now}", **more))


def test_a_service_that_fails_alone_is_sent_back_once() -> None:
    world = fault(world_of(), seconds=20)
    assert len(world.intents()) == 1
    assert outcome(world) is DecisionOutcome.ROLLBACK


def test_a_dry_run_says_what_it_would_do_and_does_nothing() -> None:
    world = fault(world_of(Mode.DRY_RUN), seconds=20)
    assert world.intents() == []
    assert reason(world) is Reason.DRY_RUN


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        ("legacy ill", Reason.LEGACY_UNFIT),
        ("gateway unread", Reason.GATEWAY_UNKNOWN),
        ("kill switch", Reason.KILL_SWITCH),
        ("over capacity", Reason.OVER_CAPACITY),
        ("forward only", Reason.FORWARD_ONLY),
        ("lag unknown", Reason.LAG_UNKNOWN),
        ("retired", Reason.RETIRED_ROUTE),
        ("freeze", Reason.FREEZE),
        ("no plan", Reason.NO_PLAN),
        ("shared", Reason.SHARED_CAUSE),
        ("no control", Reason.NO_CONTROL),
    ],
)
def test_whatever_stands_against_a_rollback_withholds_it_with_its_reason(spoil: str, expected: Reason) -> None:
    rules: dict[str, Any] = {}
    if spoil == "freeze":
        rules["freeze"] = ((START, START + HOUR),)
    data = {"forward only": DataPlan.FORWARD_ONLY, "lag unknown": DataPlan.DUAL_WRITE}.get(spoil, DataPlan.STATELESS)
    world = world_of(stage=Stage.RETIRED if spoil == "retired" else Stage.CANARY, data=data, **rules)
    if spoil == "over capacity":
        world = World((compact(),), settings(mode=Mode.AUTO, plans=(plan(capacity=20),)))
    if spoil == "no plan":
        world = World((compact(),), settings(mode=Mode.AUTO, plans=()))
    world.legacy_ok, world.gateway_read = spoil != "legacy ill", spoil != "gateway unread"
    world.kill_switch = spoil == "kill switch"
    legacy = 0 if spoil == "no control" else 10
    world.both(20, legacy=legacy)
    world.both(20, service_bad=40, legacy_bad=10 if spoil == "shared" else 0, legacy=legacy)
    assert world.intents() == []
    assert (outcome(world), reason(world)) == (DecisionOutcome.WITHHELD, expected)
    assert world.rows(PageKind.TRIGGER)


def test_a_recorded_baseline_stands_in_for_a_legacy_that_serves_nothing() -> None:
    world = world_of()
    world.both(5, legacy=0)
    ask(world, CommandKind.BASELINE, CHAT, data=(("bad", "1"), ("total", "9000")))
    world.both(15, legacy=0)
    world.both(20, service_bad=40, legacy=0)
    assert len(world.intents()) == 1


@pytest.mark.parametrize(
    "data", [(), (("bad", "2"), ("total", "1")), (("bad", "x"), ("total", "1")), (("bad", "-1"), ("total", "1"))]
)
def test_a_baseline_that_cannot_be_is_refused(data: tuple[tuple[str, str], ...]) -> None:
    world = world_of()
    ask(world, CommandKind.BASELINE, CHAT, data=data)
    world.both(1)
    assert len(world.said(TransitionKind.COMMAND_REFUSED)) == 1


def test_a_state_that_cannot_be_written_begins_no_rollback() -> None:
    world = world_of()
    world.both(20)
    for _ in range(10):
        world.serve(bad=40)
        world.serve(side="legacy", good=10)
        world.tick(store_healthy=False)
    assert world.intents() == []
    assert reason(world) is Reason.AGENT_UNHEALTHY


def test_a_gateway_that_a_person_changed_since_is_left_alone() -> None:
    world = world_of()
    world.both(20)
    world.legacy_ok = False
    world.both(6, service_bad=40)
    world.legacy_ok, world.revision = True, 2
    world.both(6, service_bad=40)
    assert world.intents() == []
    assert reason(world) is Reason.GATEWAY_CHANGED


def test_a_gateway_that_could_not_be_read_when_it_began_is_left_alone() -> None:
    world = world_of()
    world.gateway_read = False
    fault(world)
    world.gateway_read = True
    world.both(10, service_bad=40)
    assert world.intents() == []
    assert reason(world) is Reason.GATEWAY_UNKNOWN


def test_a_rollback_that_helped_is_said_and_the_incident_ends() -> None:
    world = done()
    world.both(30)
    run = world.incident().rollback
    assert run is not None
    assert run.verdict is RollbackVerdict.HELPED
    assert not world.incident().open
    assert [row.page.kind for row in world.rows()][-1] is PageKind.RESOLVE


def test_a_rollback_that_does_not_help_is_paged() -> None:
    world = done()
    world.both(130, service_bad=40)
    run = world.incident().rollback
    assert run is not None
    assert run.verdict is RollbackVerdict.INEFFECTIVE
    assert AlertName.ROLLBACK_INEFFECTIVE in {alert.name for alert in world.incident().alerts}
    assert world.incident().open
    assert world.rows()[-1].page.kind is PageKind.UPDATE


def test_a_rollback_after_which_nobody_came_is_unverified() -> None:
    world = done()
    for _ in range(130):
        world.tick()
    run = world.incident().rollback
    assert run is not None
    assert run.verdict is RollbackVerdict.UNVERIFIED
    assert AlertName.ROLLBACK_UNVERIFIED in {alert.name for alert in world.incident().alerts}


@pytest.mark.parametrize("state", [RollbackState.NEEDS_HUMAN, RollbackState.FAILED])
@pytest.mark.parametrize("word", [CommandKind.RESOLVE, CommandKind.REARM])
def test_a_rollback_that_needs_a_human_keeps_its_incident_open_until_a_person_speaks(
    state: RollbackState, word: CommandKind
) -> None:
    world = done(state)
    world.both(60)
    incident = next(i for i in world.engine.view(world.now).incidents if i.kind is IncidentKind.ROUTE)
    assert incident.open
    assert AlertName.ROLLBACK_NEEDS_HUMAN in {alert.name for alert in incident.alerts}
    ask(world, word, CHAT)
    world.both(2)
    assert not world.incident().open


def test_what_mitigated_an_incident_is_not_moved_by_alerts_about_its_rollback() -> None:
    world = done(RollbackState.NEEDS_HUMAN)
    world.both(60)
    assert len(world.said(TransitionKind.INCIDENT_MITIGATED)) == 1


@pytest.mark.parametrize("state", [RollbackState.EXPIRED, RollbackState.ABANDONED, RollbackState.COMPENSATED])
def test_a_rollback_that_ended_without_effect_lets_the_incident_end_by_its_data(state: RollbackState) -> None:
    world = done(state)
    world.both(30)
    assert not world.incident().open


def test_a_route_is_rolled_back_automatically_once_until_it_is_re_armed() -> None:
    world = done()
    world.both(30)
    fault(world)
    assert len(world.intents()) == 1
    assert reason(world) is Reason.LATCHED
    ask(world, CommandKind.REARM, CHAT)
    world.both(4, service_bad=40)
    assert len(world.intents()) == 2


def test_re_arming_by_the_id_of_an_incident_re_arms_its_route() -> None:
    world = done()
    world.both(10, service_bad=40)
    ask(world, CommandKind.REARM, world.incident().id)
    world.both(1)
    assert next(r for r in world.engine.view(world.now).routes if r.route == CHAT).armed


def test_re_arming_is_refused_while_the_rollback_runs_and_where_nothing_is_latched() -> None:
    world = world_of()
    world.both(2)
    ask(world, CommandKind.REARM, CHAT)
    fault(world)
    assert world.intents()
    ask(world, CommandKind.REARM, CHAT)
    world.both(1, service_bad=40)
    refusals = world.said(TransitionKind.COMMAND_REFUSED)
    assert [text.rsplit(": ", 1)[1] for text in refusals] == [
        "nothing is latched there",
        "its rollback is still running",
    ]


def test_resolving_is_refused_while_the_rollback_runs() -> None:
    world = fault(world_of())
    ask(world, CommandKind.RESOLVE, CHAT)
    world.both(1, service_bad=40)
    assert "still running" in world.said(TransitionKind.COMMAND_REFUSED)[0]


def test_the_blast_cap_withholds_what_would_be_one_too_many() -> None:
    world = fault(world_of(blast_cap=0))
    assert world.intents() == []
    assert reason(world) is Reason.BLAST_CAP


def awaiting() -> World:
    world = fault(world_of(Mode.APPROVE))
    assert reason(world) is Reason.AWAITING_APPROVAL
    assert world.intents() == []
    return world


def test_an_approval_carries_the_rollback_out() -> None:
    world = awaiting()
    decision = world.incident().decision
    assert decision is not None
    ask(world, CommandKind.APPROVE, CHAT, plan_digest=decision.plan_digest)
    world.both(1, service_bad=40)
    assert len(world.intents()) == 1
    run = world.incident().rollback
    assert run is not None
    assert run.approved_by == "ann"


def test_an_approval_of_another_plan_is_refused() -> None:
    world = awaiting()
    ask(world, CommandKind.APPROVE, CHAT, plan_digest="0123")
    world.both(1, service_bad=40)
    assert world.intents() == []
    assert "plan changed" in world.said(TransitionKind.COMMAND_REFUSED)[0]


def test_an_approval_weighs_the_guard_again() -> None:
    world = awaiting()
    ask(world, CommandKind.APPROVE, CHAT)
    world.legacy_ok = False
    world.both(1, service_bad=40)
    assert world.intents() == []
    assert reason(world) is Reason.LEGACY_UNFIT


def test_an_approval_after_the_request_expired_is_refused_and_may_be_given_anew() -> None:
    world = fault(world_of(Mode.APPROVE, approval_expires=MINUTE))
    world.both(70, service_bad=40)
    for _ in range(2):
        ask(world, CommandKind.APPROVE, CHAT)
        world.both(1, service_bad=40)
    assert "expired" in world.said(TransitionKind.COMMAND_REFUSED)[0]
    assert len(world.intents()) == 1


def test_an_approval_that_lay_in_the_inbox_too_long_is_refused() -> None:
    world = awaiting()
    command = wish(world, CommandKind.APPROVE, CHAT, "old")
    world.commands.append(replace(command, at=world.now - 16 * MINUTE))
    world.both(1, service_bad=40)
    assert world.intents() == []
    assert len(world.said(TransitionKind.COMMAND_REFUSED)) == 1


def test_an_approval_where_nothing_awaits_one_is_refused() -> None:
    world = fault(world_of(Mode.DRY_RUN))
    ask(world, CommandKind.APPROVE, CHAT)
    world.both(1, service_bad=40)
    assert world.intents() == []
    assert "nothing awaits" in world.said(TransitionKind.COMMAND_REFUSED)[0]


def test_the_page_says_what_is_done_in_the_same_outcome_as_the_intent() -> None:
    world = fault(world_of(), seconds=20)
    first = next(each for each in world.outcomes if each.intents)
    said = [row.page.action for row in first.outbox]
    assert said
    assert "sending it back" in said[0] or "sends the route back" in said[0]


def test_a_fault_that_comes_and_goes_sends_one_trigger_and_at_most_one_rollback() -> None:
    world = world_of()
    world.both(30)
    for second in range(120):
        world.both(1, service_bad=40 if second // 5 % 2 == 0 else 0)
        if world.intents() and second == 30:
            world.rolled_back()
    assert len(world.rows(PageKind.TRIGGER)) == 1
    assert len(world.intents()) <= 1
    assert all(row.at < START + 35 * SECOND for row in world.outcomes if row.intents)
