"""Words for a tired person, whatever the labels say."""

import json
from dataclasses import replace
from typing import Any

import pytest

from figwatch_agent.demo import events_v2, slack_hook
from figwatch_agent.durations import HOUR, MINUTE
from figwatch_agent.model.decision import DecisionOutcome, Reason
from figwatch_agent.model.effect import DeliveryState
from figwatch_agent.model.journal import Delivery
from figwatch_agent.model.page import PageKind
from figwatch_agent.notify.document import document
from figwatch_agent.notify.keys import wire_key
from figwatch_agent.notify.message import message_for
from figwatch_agent.notify.pagerduty import event
from figwatch_agent.notify.post import encode
from figwatch_agent.notify.slack import payload
from support.model_values import NOON, a_decision, a_page, a_row, an_alert, an_incident
from support.pager import ROUTING_KEY

HOSTILE = {
    "markup": "/<!channel>&<https://evil.example|click>",
    "newlines": "/a\nResolved: all is well\r\n",
    "control": "/a\x00\x1b[2J\x07",
    "direction": "/a\u202egnp.evil\u2066",
    "long": "/" + "é" * 10_000,
    "surrogate": "/a\ud800",
    "empty": "",
    "astral": "/" + "\U0001f692" * 3000,
}


def delivery(kind: PageKind = PageKind.TRIGGER, *, route: str = "/api/v1/chat", **changes: Any) -> Delivery:
    incident = an_incident(route=route)
    row = replace(a_row(kind=kind), page=a_page(kind, incident=incident))
    made = Delivery(row=row, state=DeliveryState.SENDING, attempts=1, created_at=NOON, next_at=0)
    return replace(made, **changes)


def text_of(given: Delivery, now: int = NOON) -> str:
    message = message_for(given, now)
    return "\n".join([message.subject, *(text for line in message.lines for text in line.texts)])


def test_a_trigger_says_what_broke_for_whom_how_bad_what_is_done_and_what_to_type() -> None:
    message = message_for(delivery(), NOON)
    assert [line.label for line in message.lines] == [
        "What broke",
        "For whom",
        "How bad",
        "What figwatch does",
        "What you can do",
        "Why",
    ]


def test_a_page_that_somebody_has_asks_nobody_to_take_it() -> None:
    taken = replace(an_incident(), acknowledged_at=NOON, acknowledged_by="operator@workstation")
    row = replace(a_row(), page=a_page(PageKind.UPDATE, incident=taken))
    text = text_of(replace(delivery(), row=row))
    assert "figwatch ack" not in text
    assert f"figwatch rollback show {taken.id}" in text


@pytest.mark.parametrize("kind", [PageKind.RESOLVE, PageKind.INFORMATION])
def test_what_is_over_asks_for_nothing(kind: PageKind) -> None:
    assert "figwatch ack" not in text_of(delivery(kind))


def test_a_budget_that_is_spent_is_said_to_be_spent() -> None:
    facts = a_page().facts
    assert facts is not None
    spent = replace(a_page(), facts=replace(facts, budget_left="0%", exhausted_in=0))
    text = text_of(replace(delivery(), row=replace(a_row(), page=spent)))
    assert "the error budget is spent" in text
    assert "gone in" not in text


def test_an_alert_of_the_whole_route_is_not_told_again_for_its_service_side() -> None:
    alerts = (replace(an_alert(), lane="all"), replace(an_alert(), id="other", lane="service"))
    incident = replace(an_incident(), alerts=alerts)
    row = replace(a_row(), page=a_page(PageKind.TRIGGER, incident=incident))
    (broke,) = message_for(replace(delivery(), row=row), NOON).lines[0].texts
    assert "service side" not in broke


def test_a_reason_that_repeats_the_outcome_is_not_said_twice() -> None:
    decision = replace(a_decision(outcome=DecisionOutcome.DRY_RUN), reason=Reason.DRY_RUN)
    row = replace(a_row(), page=a_page(PageKind.TRIGGER, incident=replace(an_incident(), decision=decision)))
    assert "Dry run, nothing is changed, by plan chat-to-legacy" in text_of(replace(delivery(), row=row))


def test_each_condition_of_the_guard_is_told_with_its_evidence() -> None:
    text = text_of(delivery())
    assert "✓ an alert that pages: early fires: 30 of 60 failed" in text
    assert "? whether legacy can take over is unknown: not probed" in text


def test_numbers_carry_their_units() -> None:
    text = text_of(delivery())
    for part in ("30 bad of 60 (50.0%) in the last 1 min", "objective 99.9%", "burn rate 500", "1 h"):
        assert part in text


def test_both_sides_stand_beside_each_other() -> None:
    assert "service side: 30 bad of 48 (62.5%); legacy side: 0 bad of 12 (0.0%)" in text_of(delivery())


def test_a_late_page_says_how_late_it_is() -> None:
    assert "Late: this was written 2 h ago" in text_of(delivery(), NOON + 2 * HOUR)
    assert "Late" not in text_of(delivery(), NOON + 15 * MINUTE)


def test_a_possible_repetition_says_so() -> None:
    assert "may be a repetition" in text_of(delivery(ambiguous=True))


def test_a_page_at_the_fallback_says_who_did_not_take_it() -> None:
    assert "because oncall did not take it" in text_of(delivery(original_receiver="oncall"))


def test_a_page_without_facts_invents_none() -> None:
    given = delivery()
    bare = replace(given, row=replace(given.row, page=replace(given.row.page, facts=None)))
    assert "How bad" not in [line.label for line in message_for(bare, NOON).lines]


def test_many_alerts_are_counted_not_listed() -> None:
    given = delivery()
    many = replace(given.row.page.incident, alerts=tuple(an_alert() for _ in range(40)))
    full = replace(given, row=replace(given.row, page=replace(given.row.page, incident=many)))
    assert "and 35 more alerts" in text_of(full)


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("kind", PageKind)
def test_pagerduty_accepts_a_page_about_any_route(name: str, kind: PageKind) -> None:
    given = delivery(kind, route=HOSTILE[name])
    body = encode(event(given, message_for(given, NOON), ROUTING_KEY))
    assert events_v2.refusals(json.loads(body)) == []
    assert len(body) <= events_v2.BODY_LIMIT


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("kind", PageKind)
def test_slack_accepts_a_page_about_any_route(name: str, kind: PageKind) -> None:
    given = delivery(kind, route=HOSTILE[name])
    assert slack_hook.refusal(encode(payload(message_for(given, NOON))).decode()) == ""


def test_slack_is_given_no_markup_that_a_label_brought() -> None:
    given = delivery(route=HOSTILE["markup"])
    raw = json.dumps(payload(message_for(given, NOON)))
    assert "<!channel>" not in raw
    assert "<https://evil" not in raw
    assert "&lt;!channel&gt;&amp;" in raw


@pytest.mark.parametrize("name", HOSTILE)
def test_a_label_cannot_start_a_line_of_its_own(name: str) -> None:
    message = message_for(delivery(route=HOSTILE[name]), NOON)
    texts = [message.title, *(text for line in message.lines for text in line.texts)]
    assert not [text for text in texts if "\n" in text or "\x1b" in text or "\u202e" in text]


def test_a_webhook_document_stays_small_and_keeps_the_route_as_it_is() -> None:
    given = delivery(route=HOSTILE["newlines"])
    told = document(given, message_for(given, NOON))
    incident = told["incident"]
    assert isinstance(incident, dict)
    assert incident["route"] == HOSTILE["newlines"]
    long = delivery(route=HOSTILE["long"])
    assert len(encode(document(long, message_for(long, NOON)))) < 512 * 1024


def test_links_that_are_no_web_addresses_are_left_out() -> None:
    given = delivery()
    page = replace(given.row.page, runbook_url="javascript:alert(1)", status_url="https://figwatch.example.com/")
    links = message_for(replace(given, row=replace(given.row, page=page)), NOON).links
    assert [link.name for link in links] == ["incident"]


def test_keys_beyond_a_receivers_limit_become_a_digest_and_stay_the_same() -> None:
    assert wire_key("incident-1/1/oncall") == "incident-1/1/oncall"
    for odd in ("x" * 256, "a b", "ü", "a\r\nX-Evil: 1", "\ud800", ""):
        key = wire_key(odd)
        assert key == wire_key(odd)
        assert key.isascii()
        assert len(key) == len("sha256-") + 64


def test_updates_and_information_go_to_pagerduty_under_the_key_of_the_trigger() -> None:
    events = {kind: event(delivery(kind), message_for(delivery(kind), NOON), ROUTING_KEY) for kind in PageKind}
    assert {one["dedup_key"] for one in events.values()} == {"incident-1"}
    actions = {kind: one["event_action"] for kind, one in events.items()}
    assert actions[PageKind.RESOLVE] == "resolve"
    assert {actions[kind] for kind in PageKind if kind is not PageKind.RESOLVE} == {"trigger"}
    information = events[PageKind.INFORMATION]["payload"]
    assert isinstance(information, dict)
    assert information["severity"] == "info"
