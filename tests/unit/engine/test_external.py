"""Alerts of other systems: one incident each, whoever tells it how often, and never a rollback by them alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from figwatch_agent.decide import incidents
from figwatch_agent.durations import SECOND
from figwatch_agent.model.command import Command, CommandKind
from figwatch_agent.model.external import ExternalAlert, alert_of, command_of
from figwatch_agent.model.incident import Incident, IncidentKind
from figwatch_agent.model.names import AlertName, Mode, Severity
from figwatch_agent.model.outcome import TransitionKind
from figwatch_agent.model.page import PageKind
from support.world import CHAT, START, World, settings

DISK = ExternalAlert(
    fingerprint="a1b2", name="DiskFull", starts_at=START - 60 * SECOND, ends_at=None, severity=Severity.PAGE
)
ON_ROUTE = replace(DISK, name="ErrorBudgetBurnFast", route=CHAT, slo="chat-availability")


def told(alert: ExternalAlert) -> Command:
    return command_of(alert, at=START, actor="alertmanager", origin="alertmanager 127.0.0.1")


def of_kind(world: World, kind: IncidentKind) -> list[Incident]:
    found = {i.id: i for outcome in world.outcomes for i in outcome.incidents if i.kind is kind}
    return list(found.values())


def test_an_alert_survives_the_inbox() -> None:
    over = replace(ON_ROUTE, ends_at=START, summary="it burns", truncated="3")
    assert alert_of(dict(told(over).data)) == over


def test_an_alert_opens_an_incident_that_names_it_and_weighs_no_rollback() -> None:
    world = World()
    world.tick(commands=(told(DISK),))
    world.both(5)
    (incident,) = of_kind(world, IncidentKind.EXTERNAL)
    assert (incident.route, incident.severity, incident.decision) == ("DiskFull", Severity.PAGE, None)
    assert incident.impact_start == DISK.starts_at
    assert world.intents() == []


def test_the_same_alert_again_changes_nothing_even_after_its_incident_ended() -> None:
    world = World()
    for alert in (DISK, DISK, replace(DISK, ends_at=START), DISK):
        world.tick(commands=(told(alert),))
    (incident,) = of_kind(world, IncidentKind.EXTERNAL)
    assert not incident.open
    assert len(world.said(TransitionKind.INCIDENT_OPENED)) == 1


def test_a_resolved_alert_that_nobody_saw_fire_opens_nothing() -> None:
    world = World()
    world.tick(commands=(told(replace(DISK, ends_at=START)),))
    assert of_kind(world, IncidentKind.EXTERNAL) == []


def test_an_alert_about_a_route_is_joined_by_our_own_and_alone_pages_without_a_decision() -> None:
    world = World()
    world.tick(commands=(told(ON_ROUTE),))
    world.both(10)
    (incident,) = of_kind(world, IncidentKind.ROUTE)
    assert incident.decision is None
    assert incidents.paging(incident) == ()
    world.both(20, service_bad=40)
    (joined,) = of_kind(world, IncidentKind.ROUTE)
    assert joined.id == incident.id
    assert len({alert.name for alert in joined.alerts} - {AlertName.EXTERNAL_ALERT}) >= 1
    assert joined.decision is not None


def test_who_was_told_of_their_alert_is_told_when_our_own_counts_say_so_too() -> None:
    world = World()
    world.tick(commands=(told(ON_ROUTE),))
    world.both(10)
    assert [row.page.facts for row in world.rows(PageKind.TRIGGER) if row.page.severity is Severity.PAGE] == [None]
    world.both(20, service_bad=40)
    updates = [row.page for row in world.rows(PageKind.UPDATE)]
    assert updates[0].facts is not None
    assert updates[0].facts.bad > 0
    assert {row.page.incident.id for row in world.rows(PageKind.UPDATE)} == {updates[0].incident.id}
    assert len({(page.headline, page.at) for page in updates}) == len(updates)


def test_a_wish_put_by_hand_that_is_no_alert_is_refused() -> None:
    world = World()
    wish = replace(told(DISK), data=(("fingerprint", "a1"),))
    world.tick(commands=(wish,))
    assert wish.kind is CommandKind.EXTERNAL_ALERT
    assert len(world.said(TransitionKind.COMMAND_REFUSED)) == 1


@pytest.mark.parametrize("later", [5, 60])
def test_an_alert_on_a_healthy_route_keeps_its_incident_open_until_it_is_told_resolved(later: int) -> None:
    world = World()
    world.tick(commands=(told(ON_ROUTE),))
    world.both(later)
    (incident,) = of_kind(world, IncidentKind.ROUTE)
    assert incident.open
    world.tick(commands=(told(replace(ON_ROUTE, ends_at=world.now)),))
    (ended,) = of_kind(world, IncidentKind.ROUTE)
    assert not ended.open


def test_a_group_that_came_incomplete_is_a_finding_once_for_all_its_alerts() -> None:
    world = World()
    cut = replace(DISK, truncated="3", receiver="figwatch")
    world.tick(commands=(told(cut), told(replace(cut, fingerprint="c3", name="DiskSlow"))))
    (finding,) = [text for text in world.said(TransitionKind.FINDING) if "Alertmanager" in text]
    assert finding.startswith("Alertmanager left 3 alerts out")


def test_a_whole_group_is_no_finding() -> None:
    world = World()
    world.tick(commands=(told(replace(DISK, receiver="figwatch")),))
    assert [text for text in world.said(TransitionKind.FINDING) if "Alertmanager" in text] == []


def test_our_own_alert_on_a_route_of_theirs_brings_our_own_clock_and_our_own_runbook() -> None:
    world = World(conf=settings(Mode.DRY_RUN))
    world.tick(commands=(told(ON_ROUTE),))
    world.both(10)
    (theirs,) = of_kind(world, IncidentKind.ROUTE)
    assert theirs.impact_start == ON_ROUTE.starts_at
    began = world.now
    world.both(20, service_bad=40)
    (joined,) = of_kind(world, IncidentKind.ROUTE)
    assert began <= joined.impact_start <= joined.detected_at
    world.both(90)
    world.tick(commands=(told(replace(ON_ROUTE, ends_at=world.now)),))
    world.both(2)
    pages = [row.page for outcome in world.outcomes for row in outcome.outbox]
    assert (pages[0].kind, pages[-1].kind) == (PageKind.TRIGGER, PageKind.RESOLVE)
    assert pages[0].runbook_url.endswith("/ExternalAlert")
    assert not pages[-1].runbook_url.endswith("/ExternalAlert")
