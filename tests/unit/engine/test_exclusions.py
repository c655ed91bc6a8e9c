"""Exclusions and what is decided: nothing fires on them, nothing is resolved by them, and forgotten ones are found."""

from fractions import Fraction
from typing import Any

import pytest

from figwatch_agent.durations import DAY, HOUR, MINUTE, SECOND, Instant, format_instant
from figwatch_agent.model.command import Command, CommandKind
from figwatch_agent.model.exclusion import Exclusion, ExclusionState
from figwatch_agent.model.outcome import TransitionKind
from figwatch_agent.model.view import StreamView
from support.engine import compact
from support.world import CHAT, MODELS, World
from support.world import settings as configured


def exclude(world: World, name: str = CHAT, scope: str = "route", **times: Instant | str) -> None:
    """With the next tick; ``begins`` and ``ends`` are instants."""
    said = {"scope": scope, "who": "ann"}
    for key, member in (("begins", "from"), ("ends", "to")):
        if key in times:
            at = times[key]
            said[member] = at if isinstance(at, str) else format_instant(at)
    ask(world, CommandKind.EXCLUDE, name, tuple(sorted(said.items())))


def ask(world: World, kind: CommandKind, subject: str, data: tuple[tuple[str, str], ...] = (), why: str = "up") -> None:
    number = len(world.outcomes)
    world.commands.append(
        Command(
            id=f"{kind}{number}",
            kind=kind,
            at=world.now,
            actor="bob",
            origin="cli",
            subject=subject,
            why=why,
            data=data,
        )
    )


def stream(world: World, slo: str = "chat-availability", route: str = CHAT) -> StreamView:
    return next(each for each in world.engine.view(world.now).streams if (each.slo, each.route) == (slo, route))


def only(world: World) -> Exclusion:
    (found,) = world.engine.view(world.now).exclusions
    return found


def a_calm_minute(**more: Any) -> World:
    world = World((compact(**more),))
    world.serve(good=1, bad=1, slow=1)
    world.serve(side="legacy", good=1, bad=1, slow=1)
    world.tick()
    world.both(60)
    return world


@pytest.mark.parametrize("scope", [("route", CHAT), ("service", "chat")])
def test_a_total_outage_fires_nothing_while_it_is_excluded(scope: tuple[str, str]) -> None:
    world = a_calm_minute()
    exclude(world, scope[1], scope[0])
    world.both(120, service_bad=40, legacy_bad=10)
    assert world.said(TransitionKind.ALERT_FIRED) == []
    seen = stream(world)
    assert (seen.state, seen.counts.bad, seen.excluded.bad) == ("excluded", 0, 120 * 50)


def test_the_outage_that_outlasts_its_exclusion_fires() -> None:
    world = a_calm_minute()
    exclude(world, ends=world.now + 30 * SECOND)
    world.both(45, service_bad=40, legacy_bad=10)
    assert world.said(TransitionKind.ALERT_FIRED) != []
    assert only(world).state(world.now) is ExclusionState.OVER


def test_an_open_incident_is_not_resolved_by_an_exclusion_and_goes_on_after_it() -> None:
    world = a_calm_minute()
    world.both(30, service_bad=40, legacy_bad=10)
    incident = world.incident()
    exclude(world, ends=world.now + 10 * MINUTE)
    world.both(600)
    assert world.said(TransitionKind.ALERT_RESOLVED) == []
    assert world.engine.view(world.now).incidents[0].open
    world.both(120)
    assert [each.id for each in world.engine.view(world.now).incidents if not each.open] == [incident.id]


def test_a_person_resolves_an_incident_of_an_excluded_route() -> None:
    world = a_calm_minute()
    world.both(30, service_bad=40, legacy_bad=10)
    exclude(world)
    world.both(5)
    ask(world, CommandKind.RESOLVE, CHAT)
    world.both(1)
    assert len(world.said(TransitionKind.INCIDENT_RESOLVED)) == 1


def test_no_rollback_is_decided_on_excluded_requests() -> None:
    world = a_calm_minute()
    exclude(world)
    world.both(60, service_bad=40)
    assert world.intents() == []


def test_bad_events_before_a_resolve_stay_behind_it_when_later_ones_are_excluded() -> None:
    world = a_calm_minute()
    world.both(30, service_bad=40, legacy_bad=10)
    ask(world, CommandKind.RESOLVE, CHAT)
    world.both(1)
    exclude(world, ends=world.now + 30 * SECOND)
    world.both(30, service_bad=40, legacy_bad=10)
    world.both(60)
    assert len(world.said(TransitionKind.INCIDENT_OPENED)) == 1


def test_an_exclusion_after_the_fact_corrects_the_budget_and_takes_no_page_back() -> None:
    world = a_calm_minute()
    start = world.now
    world.both(30, service_bad=40, legacy_bad=10)
    fired = len(world.said(TransitionKind.ALERT_FIRED))
    assert fired
    world.both(60)
    exclude(world, begins=start, ends=start + 30 * SECOND)
    world.both(5)
    assert stream(world).counts.bad == 0
    assert stream(world).excluded.bad == 30 * 50
    assert len(world.said(TransitionKind.ALERT_FIRED)) == fired


def test_excluded_time_leaves_the_denominator_of_coverage() -> None:
    world = a_calm_minute()
    exclude(world, begins=world.now - 30 * SECOND, ends=world.now)
    world.both(1)
    seen = stream(world)
    assert seen.excluded_time == 32 * SECOND  # from 30 s of the clock to now, 62
    assert seen.coverage == Fraction(29 * SECOND, HOUR - 32 * SECOND)
    assert seen.known == 1


def test_a_window_that_is_excluded_whole_knows_nothing() -> None:
    world = World((compact(),))
    exclude(world, "chat", "service", begins=world.now - DAY)
    world.both(60)
    seen = stream(world)
    assert seen.counts.total == 0
    assert seen.coverage == 0
    assert seen.budget_left is None


def test_uptime_leaves_out_what_probes_say_of_excluded_time() -> None:
    world = World((compact(),), configured(interval=SECOND))
    world.both(60)
    exclude(world, "chat-uptime", "slo", begins=world.now - 20 * SECOND, ends=world.now + 20 * SECOND)
    world.both(60)
    span = stream(world, "chat-uptime", "").span
    assert span is not None
    assert span.up + span.down + span.unknown == HOUR - 40 * SECOND
    assert span.up == 119 * SECOND - 40 * SECOND


def test_other_routes_and_slos_are_counted_on() -> None:
    world = a_calm_minute(routes=(CHAT, MODELS))
    exclude(world)
    for _ in range(5):
        world.serve(good=5)
        world.serve(route=MODELS, good=5)
        world.tick()
    assert stream(world, route=MODELS).state == "ok"
    assert stream(world).state == "excluded"


def test_traffic_is_never_set_aside() -> None:
    world = a_calm_minute()
    before = dict(world.engine.view(world.now).routes[0].requests)["legacy"]
    exclude(world)
    world.both(10)
    assert dict(world.engine.view(world.now).routes[0].requests)["legacy"] == before + 100


def test_telemetry_that_is_silent_in_an_exclusion_is_not_lost_and_a_lost_one_stays_lost() -> None:
    quiet, lost = a_calm_minute(), a_calm_minute()
    lost.up = False
    for _ in range(200):
        lost.tick()
    for world in (quiet, lost):
        exclude(world, "chat", "service")
        world.up = False
        for _ in range(200):
            world.tick()
    assert not any("TelemetryLost" in text for text in quiet.said(TransitionKind.ALERT_FIRED))
    assert any("TelemetryLost" in text for text in lost.said(TransitionKind.ALERT_FIRED))
    assert lost.said(TransitionKind.ALERT_RESOLVED) == []


def test_an_exclusion_that_is_left_open_is_found_once_and_until_it_is_ended() -> None:
    world = a_calm_minute()
    exclude(world, begins=world.now - DAY + 10 * SECOND)
    world.both(5)
    assert not [text for text in world.said(TransitionKind.FINDING) if "excluded" in text]
    world.both(10)
    found = [text for text in world.said(TransitionKind.FINDING) if "excluded" in text]
    assert len(found) == 1
    assert only(world).id in found[0]
    ask(world, CommandKind.END_EXCLUSION, only(world).id)
    world.both(12)
    assert not [text for text in world.engine.view(world.now).findings if "excluded" in text]
    assert stream(world).state == "ok"
    assert only(world).ended_by == "bob"


def test_the_record_says_declared_and_counted_times() -> None:
    world = a_calm_minute()
    begins, ends = world.now - 33_333, world.now - 11_111
    exclude(world, begins=begins, ends=ends)
    world.both(1)
    said = only(world)
    assert (said.begins, said.ends) == (begins, ends)
    assert (said.counted_from, said.counted_to) == (begins // 10_000 * 10_000, -(-ends // 10_000) * 10_000)
    assert (said.who, said.why, said.declared_by) == ("ann", "up", "bob")


def test_one_that_is_ended_before_it_begins_sets_nothing_aside() -> None:
    world = a_calm_minute()
    exclude(world, begins=world.now + 20 * SECOND)
    world.both(1)
    ask(world, CommandKind.END_EXCLUSION, only(world).id)
    world.both(60)
    assert only(world).state(world.now) is ExclusionState.WITHDRAWN
    assert stream(world).excluded.total == 0


@pytest.mark.parametrize(
    ("subject", "data", "reason"),
    [
        ("/api/v1/nothing", {"scope": "route"}, "no route of that name"),
        (CHAT, {"scope": "slo"}, "no slo of that name"),
        (CHAT, {"scope": "everything"}, "data.scope is one of"),
        (CHAT, {"scope": "route", "from": "yesterday"}, "data.from"),
        (CHAT, {"scope": "route", "to": "2020-01-01T00:00:00Z"}, "data.to lies after"),
        (CHAT, {}, "data.scope is one of"),
    ],
)
def test_what_cannot_be_excluded_is_refused_with_the_reason(subject: str, data: dict[str, str], reason: str) -> None:
    world = a_calm_minute()
    ask(world, CommandKind.EXCLUDE, subject, tuple(data.items()))
    world.both(1)
    (said,) = world.said(TransitionKind.COMMAND_REFUSED)
    assert reason in said
    assert world.engine.view(world.now).exclusions == ()


@pytest.mark.parametrize("name", ["exc-nothing", "over"])
def test_an_exclusion_that_is_not_there_or_over_cannot_be_ended(name: str) -> None:
    world = a_calm_minute()
    exclude(world, begins=world.now - 30 * SECOND, ends=world.now - 10 * SECOND)
    world.both(1)
    ask(world, CommandKind.END_EXCLUSION, only(world).id if name == "over" else name)
    world.both(1)
    assert len(world.said(TransitionKind.COMMAND_REFUSED)) == 1


def test_the_ledger_marks_what_is_set_aside_with_side_and_incident_as_they_were() -> None:
    world = a_calm_minute()
    start = world.now
    world.both(30, service_bad=40, legacy_bad=10)
    incident = world.incident().id
    exclude(world, begins=start, ends=world.now)
    world.both(1)
    marked = [each for each in world.outcomes[-1].ledger if each.exclusion and each.slo == "chat-availability"]
    assert {each.exclusion for each in marked} == {only(world).id}
    assert {each.incident for each in marked} == {"", incident}
    assert {each.side for each in marked} == {"service", "legacy"}
    assert sum(each.bad for each in marked) == 30 * 50
