"""Stages of an incident, each at its border."""

from __future__ import annotations

import hashlib
from base64 import b32encode
from dataclasses import replace

import pytest

from figwatch_agent.decide import incidents
from figwatch_agent.model.effect import RollbackState
from figwatch_agent.model.incident import Alert, Incident, IncidentKind, RollbackRun, RollbackVerdict
from figwatch_agent.model.names import AlertName, Severity

CHAT = "/api/v1/chat"
BURNS = Alert(
    id="a",
    name=AlertName.ERROR_BUDGET_BURN_FAST,
    slo="chat-availability",
    route=CHAT,
    tier="1h",
    lane="all",
    severity=Severity.TICKET,
    fired_at=100,
    impact_start=60,
    certified=True,
    bad=5,
    total=9,
    burn_rate=None,
)
OPEN = incidents.opened("shop", "chat", IncidentKind.ROUTE, CHAT, BURNS)


def ended(incident: Incident, at: int = 200) -> Incident:
    """All alerts are over."""
    return replace(incident, alerts=tuple(replace(alert, resolved_at=at) for alert in incident.alerts))


def about(incident: Incident, name: AlertName, *, over: bool = False) -> Incident:
    """With an alert about its rollback."""
    alert = incidents.rollback_alert(incident, name, 150)
    return incidents.joined(incident, replace(alert, resolved_at=160) if over else alert)


def run(state: RollbackState, verdict: RollbackVerdict = RollbackVerdict.PENDING) -> RollbackRun:
    return RollbackRun(id="r", plan="chat-to-legacy", decided_at=110, state=state, verdict=verdict)


def test_an_incident_is_named_after_what_it_is_about_and_when_it_was_seen() -> None:
    digest = hashlib.sha256(b"shop\nroute\n/api/v1/chat\n100").digest()
    assert incidents.incident_id("shop", IncidentKind.ROUTE, CHAT, 100) == OPEN.id
    assert OPEN.id == "inc-" + b32encode(digest).decode().lower()[:8]
    others = [
        incidents.incident_id("mall", IncidentKind.ROUTE, CHAT, 100),
        incidents.incident_id("shop", IncidentKind.UPTIME, CHAT, 100),
        incidents.incident_id("shop", IncidentKind.ROUTE, "/", 100),
        incidents.incident_id("shop", IncidentKind.ROUTE, CHAT, 101),
    ]
    assert len({OPEN.id, *others}) == 5


def test_an_incident_opens_with_what_its_alert_knows() -> None:
    assert (OPEN.kind, OPEN.migration, OPEN.service, OPEN.route) == (IncidentKind.ROUTE, "shop", "chat", CHAT)
    assert (OPEN.severity, OPEN.impact_start, OPEN.detected_at) == (Severity.TICKET, 60, 100)
    assert OPEN.alerts == (BURNS,)


def test_a_page_makes_it_a_page_and_a_ticket_never_takes_that_back() -> None:
    paged = incidents.joined(OPEN, replace(BURNS, id="b", severity=Severity.PAGE))
    assert paged.severity is Severity.PAGE
    assert incidents.joined(paged, replace(BURNS, id="c")).severity is Severity.PAGE
    assert incidents.joined(OPEN, replace(BURNS, id="c")).severity is Severity.TICKET


@pytest.mark.parametrize(
    ("known", "told", "kept"), [(None, 5, 5), (5, None, 5), (5, 4, 5), (5, 6, 6), (None, None, None)]
)
def test_the_end_of_the_last_bad_tick_only_moves_on(known: int | None, told: int | None, kept: int | None) -> None:
    assert incidents.bad_until(replace(OPEN, last_bad=known), told).last_bad == kept


def test_the_impact_ended_with_the_last_bad_tick() -> None:
    assert incidents.mitigated(OPEN) is OPEN  # something still fires
    assert incidents.mitigated(replace(ended(OPEN), last_bad=180)).mitigated_at == 180
    assert incidents.mitigated(ended(OPEN)).mitigated_at == 100  # nothing bad was seen since it was detected
    assert incidents.mitigated(replace(ended(OPEN), last_bad=40)).mitigated_at == 60  # never before it began
    known = replace(ended(OPEN), last_bad=180, mitigated_at=170)
    assert incidents.mitigated(known) is known
    assert incidents.mitigated(about(ended(OPEN), AlertName.ROLLBACK_INEFFECTIVE)).mitigated_at == 100


@pytest.mark.parametrize(
    ("incident", "may"),
    [
        (OPEN, False),  # its alert fires
        (ended(OPEN), True),
        (about(ended(OPEN), AlertName.ROLLBACK_NEEDS_HUMAN), False),  # waits for a person's word
        (about(ended(OPEN), AlertName.ROLLBACK_NEEDS_HUMAN, over=True), True),
        (about(ended(OPEN), AlertName.ROLLBACK_INEFFECTIVE), True),  # ends with the incident
        (about(ended(OPEN), AlertName.ROLLBACK_UNVERIFIED), True),
        (about(OPEN, AlertName.ROLLBACK_INEFFECTIVE), False),
        (replace(ended(OPEN), rollback=run(RollbackState.COMMITTED)), False),  # about to begin
        (replace(ended(OPEN), rollback=run(RollbackState.RUNNING)), False),
        (replace(ended(OPEN), rollback=run(RollbackState.DONE)), False),  # did it help?
        (replace(ended(OPEN), rollback=run(RollbackState.DONE, RollbackVerdict.HELPED)), True),
        (replace(ended(OPEN), rollback=run(RollbackState.DONE, RollbackVerdict.INEFFECTIVE)), True),
        (replace(ended(OPEN), rollback=run(RollbackState.EXPIRED)), True),  # never begun: nothing to verify
        (replace(ended(OPEN), rollback=run(RollbackState.FAILED)), True),
    ],
)
def test_an_incident_ends_when_the_data_have_nothing_more_to_say(incident: Incident, may: bool) -> None:
    assert incidents.may_resolve(incident) is may


def test_resolving_ends_what_still_fires_and_keeps_the_ends_that_are_known() -> None:
    two = replace(OPEN, alerts=(replace(BURNS, resolved_at=150), replace(BURNS, id="b")), last_bad=140)
    done = incidents.resolved(two, 300, "ann")
    assert [alert.resolved_at for alert in done.alerts] == [150, 300]
    assert (done.resolved_at, done.resolved_by, done.mitigated_at) == (300, "ann", 140)
    assert not done.open
    assert incidents.resolved(two, 300).resolved_by == ""


def test_an_alert_about_a_rollback_is_part_of_its_incident() -> None:
    alert = incidents.rollback_alert(OPEN, AlertName.ROLLBACK_INEFFECTIVE, 150)
    assert alert == Alert(
        id=f"{OPEN.id} RollbackIneffective",
        name=AlertName.ROLLBACK_INEFFECTIVE,
        slo="",
        route=CHAT,
        tier="rollback",
        lane="all",
        severity=Severity.PAGE,
        fired_at=150,
        impact_start=60,
        certified=True,
        bad=0,
        total=0,
        burn_rate=None,
    )


def test_a_persons_look_ends_what_waited_for_one_and_nothing_else() -> None:
    waiting = about(about(OPEN, AlertName.ROLLBACK_INEFFECTIVE), AlertName.ROLLBACK_NEEDS_HUMAN)
    seen = incidents.looked_after(waiting, 400)
    assert [alert.resolved_at for alert in seen.alerts] == [None, None, 400]
    assert incidents.looked_after(seen, 500) == seen
