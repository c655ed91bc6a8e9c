"""What an Alertmanager is sent for a page, and what is made of its answer."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from figwatch_agent.durations import MINUTE, SECOND, format_instant
from figwatch_agent.model.alertmanager import OWN_LABELS, Identity, Standing
from figwatch_agent.model.external import OWN_LABEL
from figwatch_agent.model.incident import IncidentKind
from figwatch_agent.model.journal import Delivery, DeliveryResultKind
from figwatch_agent.model.names import AlertName, Severity
from figwatch_agent.model.page import PageKind
from figwatch_agent.notify.alertmanager import Entry, entry_of, information_of, retired
from figwatch_agent.notify.alertmanager_kept import kept, standing_of
from figwatch_agent.notify.alertmanager_member import judged
from figwatch_agent.notify.classify import Answer
from support.message_incidents import ID, ROUTE, an_alert
from support.messages import EXTERNAL, stories
from support.model_values import NOON

STORIES = stories()
NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


def told(story: str) -> Delivery:
    """The delivery of a story."""
    return STORIES[story].delivery


def labels_of(entry: Entry, place: int = 0) -> dict[str, str]:
    return dict(entry.standing.alerts[place].labels)


def changed(delivery: Delivery, **page: Any) -> Delivery:
    """The same delivery with another page."""
    return replace(delivery, row=replace(delivery.row, page=replace(delivery.row.page, **page)))


def test_the_labels_are_those_of_the_generated_rules_and_the_incident() -> None:
    assert labels_of(entry_of(told("page"), None, ())) == {
        "alertname": "EarlyOutage",
        OWN_LABEL: ID,
        "migration": "ai-assistant",
        "service": "chat",
        "route": ROUTE,
        "slo": "chat-availability",
        "tier": "early",
        "severity": "page",
    }


@pytest.mark.parametrize("story", STORIES)
def test_every_story_is_one_that_an_alertmanager_takes(story: str) -> None:
    delivery = told(story)
    for entry in (entry_of(delivery, None, ()), information_of(delivery, ())):
        for document in entry.documents(delivery.row.page.at):
            labels: Any = document["labels"]
            assert set(labels) <= set(OWN_LABELS)
            assert labels[OWN_LABEL]
            assert labels["alertname"]
            assert labels["severity"]
            assert all(NAME.fullmatch(name) and value.strip() and len(value) <= 255 for name, value in labels.items())
            annotations: Any = document["annotations"]
            assert annotations["summary"]
            assert all(0 < len(value) <= 4000 for value in annotations.values())
            assert str(document["startsAt"]) <= str(document["endsAt"])


def test_what_a_person_needs_stands_in_the_annotations() -> None:
    annotations = entry_of(told("page"), None, ()).annotations
    assert annotations["summary"] == STORIES["page"].delivery.row.page.headline
    assert "24 bad of 50 (48.0%)" in annotations["description"]
    assert f"figwatch ack {ID}" in annotations["decide"]
    assert annotations["runbook_url"] == f"{EXTERNAL}/runbooks/EarlyOutage"
    assert annotations["status_url"] == f"{EXTERNAL}/incidents/{ID}"
    assert annotations["dashboard_url"] == EXTERNAL


def test_without_an_address_of_the_agent_there_are_no_links_and_no_generator() -> None:
    entry = entry_of(changed(told("page"), status_url=None, overview_url=None, runbook_url=""), None, ())
    assert not [name for name in entry.annotations if name.endswith("_url")]
    assert "generatorURL" not in entry.documents(NOON)[0]


def test_nothing_that_happens_later_changes_the_labels_or_the_start() -> None:
    first = entry_of(told("page"), None, ()).standing
    page = told("update-decided").row.page
    joined = an_alert(AlertName.LATENCY_DEGRADED, slo="chat-latency", tier="fast")
    other = replace(page.incident, alerts=(joined,), route="/api/v1/other", impact_start=NOON + MINUTE)
    later = entry_of(changed(told("update-decided"), incident=other), first, (("team", "new"),))
    over = entry_of(told("resolve"), first, ())
    assert later.standing.alerts == over.standing.alerts == first.alerts


def test_a_page_sent_again_after_a_crash_is_the_same_alert() -> None:
    delivery = told("page")
    again = replace(delivery, attempts=2, ambiguous=True)
    assert entry_of(delivery, None, ()) == entry_of(again, None, ())


def test_a_ticket_that_becomes_a_page_is_a_second_alert_of_the_same_incident() -> None:
    ticket = told("ticket")
    incident = replace(
        ticket.row.page.incident, severity=Severity.PAGE, alerts=(*ticket.row.page.incident.alerts, an_alert())
    )
    page = changed(ticket, incident=incident, severity=Severity.PAGE, group=incident.id)
    before, after = labels_of(entry_of(ticket, None, ())), labels_of(entry_of(page, None, ()))
    assert (before["severity"], before["alertname"]) == ("ticket", "ErrorBudgetBurnSlow")
    assert (after["severity"], after["alertname"]) == ("page", "EarlyOutage")
    assert {name: before[name] for name in ("service", "route")} == {name: after[name] for name in ("service", "route")}


def test_more_labels_are_added_and_take_the_place_of_none() -> None:
    labels = labels_of(entry_of(told("page"), None, (("team", "chat"), ("severity", "none"))))
    assert (labels["team"], labels["severity"]) == ("chat", "page")


def test_an_incident_that_is_not_about_a_route_has_no_route() -> None:
    delivery = told("ticket-agent")
    assert delivery.row.page.incident.kind is IncidentKind.AGENT
    assert set(labels_of(entry_of(delivery, None, ()))) == {"alertname", OWN_LABEL, "migration", "service", "severity"}


def test_long_and_odd_values_are_bounded_and_tell_incidents_apart() -> None:
    page = told("page").row.page
    groups = [f"{'x' * 300}{number}" for number in range(2)]
    incident = replace(page.incident, service="a\u202eb" * 200)
    entries = [entry_of(changed(told("page"), incident=incident, group=group), None, ()) for group in groups]
    first, second = (labels_of(entry) for entry in entries)
    assert first[OWN_LABEL] != second[OWN_LABEL]
    assert len(first["service"]) == 200
    assert first["service"].isprintable()


def test_an_open_alert_is_good_until_then_and_one_that_is_over_since_it_was_resolved() -> None:
    (open_,) = entry_of(told("page"), None, ()).documents(NOON + 4 * MINUTE)
    assert (open_["startsAt"], open_["endsAt"]) == (
        format_instant(NOON - 4 * SECOND),
        format_instant(NOON + 4 * MINUTE),
    )
    over = entry_of(told("resolve"), None, ())
    assert over.standing.ended_at == told("resolve").row.page.incident.resolved_at
    assert over.documents(NOON + 40 * MINUTE)[0]["endsAt"] == format_instant(over.standing.ended_at or 0)


def test_no_end_lies_before_its_start() -> None:
    standing = Standing(alerts=(Identity(labels=(("alertname", "x"),), starts_at=NOON),), ended_at=NOON - MINUTE)
    (document,) = replace(entry_of(told("page"), None, ()), standing=standing).documents(0)
    assert document["endsAt"] == document["startsAt"] == format_instant(NOON)


@pytest.mark.parametrize(
    ("story", "asks", "name"),
    [
        ("update-ineffective", "ineffective", "RollbackIneffective"),
        ("update-unverified", "unverified", "RollbackUnverified"),
        ("update-needs-human", "needs_human", "RollbackNeedsHuman"),
    ],
)
def test_what_asks_for_a_person_is_an_alert_of_its_own(story: str, asks: str, name: str) -> None:
    first = entry_of(told("page"), None, ())
    entry = entry_of(told(story), first.standing, ())
    own, second = entry.standing.alerts
    assert own == first.standing.alerts[0]
    assert dict(second.labels) == {**labels_of(first), "asks": asks, "alertname": name}
    assert second.starts_at == told(story).row.page.at
    assert retired(entry, first.standing, NOON) is None


def test_what_asks_stays_the_same_alert_while_it_asks_and_ends_when_it_does_not() -> None:
    asking = changed(told("approval"), kind=PageKind.UPDATE)
    first = entry_of(asking, None, ())
    assert labels_of(first, 1)["asks"] == "approval"
    again = entry_of(changed(asking, at=NOON + MINUTE), first.standing, ())
    assert again.standing == first.standing
    granted = entry_of(told("update-helped"), first.standing, ())
    gone = retired(granted, first.standing, NOON + 2 * MINUTE)
    assert gone is not None
    assert granted.standing.alerts == first.standing.alerts[:1]
    assert gone.standing == Standing(alerts=first.standing.alerts[1:], ended_at=NOON + 2 * MINUTE)


def test_the_end_ends_all_that_stands() -> None:
    first = entry_of(told("page"), None, ()).standing
    asking = entry_of(told("update-ineffective"), first, ()).standing
    over = entry_of(told("resolve"), asking, ())
    assert len(over.documents(0)) == 2
    assert retired(over, asking, NOON) is None


def test_what_is_over_and_a_test_wake_nobody() -> None:
    assert labels_of(information_of(told("information"), ()))["severity"] == "info"
    test = labels_of(information_of(told("test"), ()))
    assert (test["alertname"], test["severity"]) == ("FigwatchTest", "info")


def test_what_stands_is_read_back_as_it_was_kept() -> None:
    standing = entry_of(told("update-ineffective"), None, (("team", "ä"),)).standing
    assert standing_of(kept(standing)) == standing


@pytest.mark.parametrize("text", ["", "C0123/1.5", "[]", "{}", '{"alerts":[]}', "null", '{"alerts":3}', "incident-1"])
def test_what_another_kind_of_receiver_kept_is_nothing_to_go_by(text: str) -> None:
    assert standing_of(text) is None


def answer(status: int, text: str = "") -> Answer:
    """As it comes from the wire."""
    if status < 300:
        return Answer(status=status, retry_after=None, detail="", body=text.encode())
    return Answer(status=status, retry_after=7 * SECOND, detail=f"HTTP {status}: {text}")


@pytest.mark.parametrize(
    ("given", "kind", "reason", "said"),
    [
        (answer(200), "accepted", "", ""),
        (answer(200, '{"status":"success"}'), "accepted", "", ""),
        (answer(200, " <!DOCTYPE html><title>Sign in"), "refused", "odd_answer", "a page of HTML came with status 200"),
        (answer(400, '"start time must be before end time"'), "refused", "rejected", "start time must be before"),
        (answer(401, "Unauthorized"), "refused", "unauthorized", "HTTP 401"),
        (answer(403, "<html>no"), "refused", "unauthorized", "a page of HTML came with status 403"),
        (answer(404, "404 page not found"), "refused", "odd_answer", "HTTP 404: 404 page not found"),
        (answer(405), "refused", "odd_answer", "HTTP 405"),
        (answer(302), "refused", "redirected", "HTTP 302"),
        (answer(429), "retry", "rate_limited", "HTTP 429"),
        (answer(500, '"disk full"'), "retry", "server_error", "disk full"),
        (answer(502, "<html><h1>502 Bad Gateway"), "retry", "server_error", "something in front of Alertmanager"),
    ],
)
def test_an_answer_is_reported_as_what_it_is(given: Answer, kind: str, reason: str, said: str) -> None:
    result = judged(given)
    assert (result.kind, result.reason) == (DeliveryResultKind(kind), reason)
    assert said in result.detail
    assert (result.retry_after == 7 * SECOND) is (result.kind is DeliveryResultKind.RETRY)
