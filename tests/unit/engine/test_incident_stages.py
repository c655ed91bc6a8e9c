"""How incidents open, take alerts in, are told, and end."""

from dataclasses import replace
from typing import Any

import pytest

from figwatch_agent.durations import HOUR, MINUTE, SECOND
from figwatch_agent.model.batch import ProbeResult
from figwatch_agent.model.command import CommandKind
from figwatch_agent.model.incident import Incident, IncidentKind
from figwatch_agent.model.names import AlertName, Mode, Severity, Stage
from figwatch_agent.model.outcome import TransitionKind
from figwatch_agent.model.page import PageKind
from support.engine import compact, effect_of, wish
from support.world import CHAT, MODELS, START, World, service, settings


def burning(mode: Mode = Mode.DRY_RUN, seconds: int = 6) -> World:
    """A world whose service side fails whole."""
    world = World((compact(),), settings(mode=mode))
    world.both(20)
    world.both(seconds, service_bad=40)
    return world


def ask(world: World, kind: CommandKind, subject: str, **more: Any) -> None:
    """A person wishes for something, and the world ticks on."""
    world.commands.append(wish(world, kind, subject, f"c{world.now}", **more))
    world.both(1)


def kinds(world: World) -> list[PageKind]:
    return [row.page.kind for row in world.rows()]


def opened(world: World, kind: IncidentKind) -> list[Incident]:
    return [i for i in world.engine.view(world.now).incidents if i.kind is kind and i.open]


def test_impact_starts_with_the_first_bad_tick_and_ends_with_the_last() -> None:
    world = burning()
    world.both(20)
    incident = world.incident()
    assert incident.impact_start == START + 20 * SECOND
    assert incident.mitigated_at == START + 26 * SECOND
    assert incident.resolved_at is not None
    assert incident.resolved_at >= incident.mitigated_at + 5 * SECOND
    assert incident.impact_start < incident.detected_at < incident.mitigated_at


def test_a_page_is_one_trigger_and_one_resolve_under_one_group() -> None:
    world = burning()
    world.both(20)
    rows = [row for row in world.rows() if row.page.kind in (PageKind.TRIGGER, PageKind.RESOLVE)]
    assert [row.page.kind for row in rows] == [PageKind.TRIGGER, PageKind.RESOLVE]
    assert len({row.page.group for row in rows}) == 1
    assert len({row.id for row in world.rows()}) == len(world.rows())


def test_a_ticket_becomes_a_page_when_a_page_tier_joins() -> None:
    world = World((replace(compact(), slos=(replace(compact().slos[0], early=False),)),), settings(hold=MINUTE))
    world.both(30)
    for _ in range(570):
        world.serve(good=99, bad=1)
        world.tick()
    assert [row.page.severity for row in world.rows(PageKind.TRIGGER)] == [Severity.TICKET]
    first = world.incident()
    for _ in range(60):
        world.serve(good=90, bad=10)
        world.tick()
    assert [row.page.severity for row in world.rows(PageKind.TRIGGER)] == [Severity.TICKET, Severity.PAGE]
    assert world.incident().id == first.id
    assert world.incident().severity is Severity.PAGE


def test_an_incident_is_paged_when_a_receiver_accepted_its_trigger() -> None:
    world = burning()
    world.accepted(world.rows(PageKind.TRIGGER)[0])
    world.both(1, service_bad=40)
    assert world.incident().paged_at == world.now - SECOND
    assert len(world.said(TransitionKind.INCIDENT_PAGED)) == 1


def test_incidents_with_one_shared_cause_send_one_page_and_stay_two_incidents() -> None:
    world = World((compact(routes=(CHAT, MODELS)),), settings(mode=Mode.AUTO))
    for second in range(60):
        fault = second >= 30
        for route in (CHAT, MODELS):
            for side in ("service", "legacy"):
                world.serve(route=route, side=side, good=0 if fault else 40, bad=40 if fault else 0)
        world.tick()
    assert len(opened(world, IncidentKind.ROUTE)) == 2
    assert {i.decision.reason.value for i in opened(world, IncidentKind.ROUTE) if i.decision} == {"shared_cause"}
    assert len(world.rows(PageKind.TRIGGER)) == 1
    assert world.intents() == []
    assert any(i.shared_with for i in opened(world, IncidentKind.ROUTE))


def test_an_acknowledgement_names_who_and_when_once() -> None:
    world = burning()
    ask(world, CommandKind.ACKNOWLEDGE, CHAT, actor="ann")
    ask(world, CommandKind.ACKNOWLEDGE, CHAT, actor="bob")
    incident = world.incident()
    assert (incident.acknowledged_by, incident.acknowledged_at) == ("ann", world.now - SECOND)


@pytest.mark.parametrize("kind", [CommandKind.ACKNOWLEDGE, CommandKind.RESOLVE, CommandKind.APPROVE])
def test_a_wish_about_no_incident_is_refused_and_says_why(kind: CommandKind) -> None:
    world = World((compact(),))
    world.both(2)
    ask(world, kind, "inc-nothing")
    assert "no open incident" in world.said(TransitionKind.COMMAND_REFUSED)[0]


def test_a_person_who_resolves_stays_the_one_who_resolved_it() -> None:
    world = burning()
    ask(world, CommandKind.RESOLVE, CHAT, actor="ann")
    closed = next(i for i in world.engine.view(world.now).incidents if not i.open)
    assert closed.resolved_by == "ann"
    assert len(world.said(TransitionKind.INCIDENT_RESOLVED)) == 1
    assert kinds(world).count(PageKind.RESOLVE) == 1


def test_resolving_twice_in_one_tick_is_refused_the_second_time() -> None:
    world = burning()
    world.commands += [wish(world, CommandKind.RESOLVE, CHAT, name) for name in ("one", "two")]
    world.both(1)
    assert len(world.said(TransitionKind.COMMAND_REFUSED)) == 1
    assert len(world.said(TransitionKind.INCIDENT_RESOLVED)) == 1


def test_an_outage_that_goes_on_after_a_person_resolved_it_pages_anew() -> None:
    world = burning()
    first = world.incident().id
    ask(world, CommandKind.RESOLVE, CHAT)
    world.both(10, service_bad=40)
    assert len(opened(world, IncidentKind.ROUTE)) == 1
    assert opened(world, IncidentKind.ROUTE)[0].id != first
    assert kinds(world).count(PageKind.TRIGGER) == 2


@pytest.mark.parametrize("moment", range(1, 9))
def test_an_alert_that_fires_in_the_tick_of_a_resolve_belongs_to_an_incident_that_is_open(moment: int) -> None:
    world = World((compact(),), settings(mode=Mode.DRY_RUN))
    world.both(20)
    for second in range(12):  # a fifth fails at once; four seconds later nearly all the others are too slow
        world.serve(bad=8, slow=30 if second > 3 else 0, good=2 if second > 3 else 32)
        if second == moment:
            world.commands.append(wish(world, CommandKind.RESOLVE, CHAT, "r"))
        world.tick()
        told = {a.id for i in opened(world, IncidentKind.ROUTE) for a in i.alerts if a.resolved_at is None}
        shown = [tier for stream in world.engine.view(world.now).streams for tier in stream.tiers if tier.firing]
        assert len(told) == len(shown)


def test_a_silence_hides_pages_until_it_ends() -> None:
    world = World((compact(),), settings(mode=Mode.DRY_RUN))
    world.both(20)
    world.commands.append(wish(world, CommandKind.SILENCE, CHAT, "s", until=world.now + 30 * SECOND))
    world.both(20, service_bad=40)
    assert world.rows() == []
    assert opened(world, IncidentKind.ROUTE)
    world.both(20, service_bad=40)
    assert kinds(world)[0] is PageKind.TRIGGER


def test_a_silence_never_hides_a_rollback() -> None:
    world = World((compact(),), settings(mode=Mode.AUTO))
    world.both(20)
    world.commands.append(wish(world, CommandKind.SILENCE, CHAT, "s", until=world.now + HOUR))
    world.both(10, service_bad=40)
    assert world.intents()
    assert kinds(world)[0] is PageKind.TRIGGER


@pytest.mark.parametrize("more", [{"until": None}, {"until": START}, {"why": ""}])
def test_a_silence_without_end_or_reason_is_refused(more: dict[str, object]) -> None:
    world = World((compact(),))
    world.both(2)
    ask(world, CommandKind.SILENCE, CHAT, **more)
    assert len(world.said(TransitionKind.COMMAND_REFUSED)) == 1


def test_a_low_uptime_is_a_ticket_and_never_keeps_the_routes_incident_open() -> None:
    world = World((compact(),), settings(mode=Mode.DRY_RUN))
    for second in range(160):
        world.serve(good=0 if 100 <= second < 106 else 40, bad=40 if 100 <= second < 106 else 0)
        world.serve(side="legacy", good=10)
        world.tick(probes=(ProbeResult(slo="chat-uptime", at=world.now + SECOND, up=second < 60),))
    assert [alert.name for i in opened(world, IncidentKind.UPTIME) for alert in i.alerts][:1] == [AlertName.UPTIME_LOW]
    assert {i.severity for i in opened(world, IncidentKind.UPTIME)} == {Severity.TICKET}
    assert opened(world, IncidentKind.ROUTE) == []
    assert [i.kind for i in world.engine.view(world.now).incidents if not i.open] == [IncidentKind.ROUTE]


def test_planned_work_on_a_service_is_silenced_by_the_name_of_its_uptime_slo() -> None:
    world = World((compact(),), settings(mode=Mode.DRY_RUN))
    world.both(60)
    ask(world, CommandKind.SILENCE, "chat-uptime", until=world.now + HOUR, why="planned work")
    for _ in range(100):
        world.serve(good=40)
        world.tick(probes=(ProbeResult(slo="chat-uptime", at=world.now + SECOND, up=False),))
    assert opened(world, IncidentKind.UPTIME)
    assert world.rows() == []


def test_traffic_that_stops_is_a_ticket_and_ends_when_it_comes_back() -> None:
    world = World((compact(),))
    world.both(120)
    for _ in range(400):
        world.tick()
    assert [i.alerts[0].name for i in opened(world, IncidentKind.TRAFFIC)] == [AlertName.TRAFFIC_LOST]
    world.both(2)
    assert opened(world, IncidentKind.TRAFFIC) == []


def test_telemetry_that_is_lost_is_a_ticket_and_no_alert_of_a_budget() -> None:
    world = World((compact(),))
    world.both(30)
    world.up = False
    for _ in range(130):
        world.tick()
    assert [i.alerts[0].name for i in opened(world, IncidentKind.AGENT)] == [AlertName.TELEMETRY_LOST]
    assert opened(world, IncidentKind.ROUTE) == []
    assert opened(world, IncidentKind.TRAFFIC) == []


def test_traffic_is_not_lost_while_nobody_could_see_it() -> None:
    world = World((compact(),))
    world.both(120)
    world.up = False
    for _ in range(400):
        world.tick()
    world.up = True
    world.tick()
    world.tick()
    world.tick()
    assert opened(world, IncidentKind.TRAFFIC) == []


def test_a_migrated_route_that_reaches_legacy_is_a_ticket() -> None:
    world = World((compact(stage=Stage.MIGRATED),))
    world.both(3, legacy=0)
    assert opened(world, IncidentKind.TRAFFIC) == []
    world.both(3, legacy=1)
    assert [i.alerts[0].name for i in opened(world, IncidentKind.TRAFFIC)] == [AlertName.LEGACY_LEAK]


def test_a_receiver_that_refuses_is_a_ticket_until_it_accepts() -> None:
    world = burning()
    effect_of(world, "dead", 1)
    world.both(1, service_bad=40)
    assert [i.alerts[0].name for i in opened(world, IncidentKind.AGENT)] == [AlertName.DELIVERY_FAILING]
    effect_of(world, "accepted", 2)
    world.both(1, service_bad=40)
    assert opened(world, IncidentKind.AGENT) == []


def test_silence_resolves_nothing() -> None:
    world = burning()
    for _ in range(60):
        world.tick()
    assert opened(world, IncidentKind.ROUTE)


def test_unknown_resolves_nothing() -> None:
    world = burning()
    world.up = False
    for _ in range(60):
        world.serve(good=40)
        world.tick()
    assert opened(world, IncidentKind.ROUTE)


def test_a_tier_whose_burst_is_over_does_not_fire_because_traffic_fell() -> None:
    slo = replace(compact().slos[0], early=False)
    world = World((replace(compact(), slos=(slo,), criteria=()),), settings(mode=Mode.DRY_RUN))
    world.serve(good=1, bad=1)
    world.tick()
    for second in range(140):
        good = 10_000 if second < 5 else 1 if second < 120 else 800 if second == 120 else 50
        world.serve(good=good, bad=200 if second == 120 else 0)
        world.tick()
    assert world.said(TransitionKind.ALERT_FIRED) == []


def test_a_silence_for_a_route_that_does_not_exist_is_refused_with_the_routes_that_do() -> None:
    world = World()
    world.both(3)
    ask(world, CommandKind.SILENCE, "/api/v1/chta")
    [said] = world.said(TransitionKind.COMMAND_REFUSED)
    assert "there are /api/v1/chat" in said
    assert world.engine.view(world.now).silences == ()


def test_a_silence_is_seen_until_it_ends() -> None:
    world = World()
    world.both(3)
    ask(world, CommandKind.SILENCE, CHAT, until=world.now + 5 * SECOND, why="maintenance")
    assert [(each.subject, each.why) for each in world.engine.view(world.now).silences] == [(CHAT, "maintenance")]
    world.both(6)
    assert world.engine.view(world.now).silences == ()


def _both_routes(world: World, seconds: int, *, service_bad: int, legacy_bad: int) -> None:
    for _ in range(seconds):
        for route in (CHAT, MODELS):
            world.serve(route, side="service", good=40 - service_bad, bad=service_bad)
            world.serve(route, side="legacy", good=10 - legacy_bad, bad=legacy_bad)
        world.tick()


def test_a_second_route_waits_for_the_comparison_so_that_a_shared_cause_pages_once() -> None:
    world = World((service(routes=(CHAT, MODELS)),))
    _both_routes(world, 20, service_bad=0, legacy_bad=0)
    _both_routes(world, 30, service_bad=20, legacy_bad=5)
    assert len(opened(world, IncidentKind.ROUTE)) == 2
    assert len(world.rows(PageKind.TRIGGER)) == 1


def test_the_page_of_a_second_route_waits_ten_seconds_at_most() -> None:
    world = World((service(routes=(CHAT, MODELS)),))
    for _ in range(20):
        world.serve(CHAT, good=40)
        world.serve(MODELS, good=40)
        world.serve(CHAT, side="legacy", good=1)
        world.serve(MODELS, side="legacy", good=1)
        world.tick()
    for _ in range(20):  # so few legacy requests that the sides cannot be told apart for long
        world.serve(CHAT, good=28, bad=12)
        world.serve(MODELS, good=28, bad=12)
        world.tick()
    assert {row.page.incident.route for row in world.rows(PageKind.TRIGGER)} == {CHAT, MODELS}
    first, second = (row.page.at for row in world.rows(PageKind.TRIGGER))
    assert 0 <= second - first <= 10 * SECOND
