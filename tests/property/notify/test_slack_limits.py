"""Whatever stands in labels, evidence and addresses: Slack's limits hold, and the message keeps its shape."""

import json
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from figwatch_agent.demo import events_v2, slack_hook
from figwatch_agent.model.decision import DecisionOutcome, Reason
from figwatch_agent.model.effect import DeliveryState
from figwatch_agent.model.incident import RollbackVerdict
from figwatch_agent.model.journal import Delivery
from figwatch_agent.model.page import OutboxRow, PageKind
from figwatch_agent.notify.message import message_for
from figwatch_agent.notify.pagerduty import event
from figwatch_agent.notify.post import encode
from figwatch_agent.notify.slack import payload
from figwatch_agent.notify.slack_blocks import BLOCKS, TOGETHER, brief
from support.message_incidents import NOW_FACTS, failing, over, rolled_back
from support.messages import ROUTING_KEY, page
from support.model_values import NOON

LONGEST = 40_000
hostile = st.one_of(
    st.text(st.characters(codec=None, exclude_categories=()), max_size=120),
    st.builds(
        lambda piece, times: (piece * times)[:LONGEST],
        st.sampled_from(["&", "<", "<!channel>", "`", "*", "é", "\U0001f692", "a b ", "\n", "\u202e", "\ud800", "x"]),
        st.integers(1, LONGEST),
    ),
)
urls = st.one_of(st.none(), hostile, hostile.map(lambda text: "https://figwatch.example.com/" + text))


@st.composite
def deliveries(draw: st.DrawFn) -> Delivery:
    """A page whose every text is somebody else's."""
    kind = draw(st.sampled_from(PageKind))
    incident = draw(
        st.sampled_from(
            [
                failing(DecisionOutcome.WITHHELD, Reason.SHARED_CAUSE),
                failing(DecisionOutcome.AWAITING_APPROVAL, Reason.AWAITING_APPROVAL),
                rolled_back(RollbackVerdict.INEFFECTIVE),
                over(rolled_back(RollbackVerdict.HELPED), by=draw(hostile)),
            ]
        )
    )
    decision = incident.decision
    assert decision is not None
    worse = tuple(replace(one, evidence=draw(hostile)) for one in decision.conditions)
    alert = replace(incident.alerts[0], slo=draw(hostile), tier=draw(hostile))
    incident = replace(
        incident,
        id=draw(hostile),
        route=draw(hostile),
        service=draw(hostile),
        migration=draw(hostile),
        acknowledged_by=draw(hostile),
        alerts=(alert,) * draw(st.integers(1, 9)),
        decision=replace(decision, conditions=worse, plan=draw(hostile)),
    )
    facts = replace(NOW_FACTS, objective=draw(hostile), burn_rate=draw(hostile), legacy_share=draw(hostile))
    made = replace(
        page(kind, incident, facts),
        headline=draw(hostile),
        action=draw(hostile),
        runbook_url=draw(urls) or "",
        status_url=draw(urls),
        overview_url=draw(urls),
    )
    row = OutboxRow(id=draw(hostile), receiver="oncall", incident=incident.id, page=made)
    return Delivery(
        row=row,
        state=DeliveryState.SENDING,
        attempts=1,
        created_at=NOON,
        next_at=0,
        ambiguous=draw(st.booleans()),
        original_receiver=draw(hostile),
    )


def lengths(node: Any) -> int:
    """Characters of all texts of a payload."""
    if isinstance(node, list):
        return sum(lengths(one) for one in node)
    if not isinstance(node, dict):
        return 0
    own = len(node["text"]) if isinstance(node.get("text"), str) else 0
    return own + sum(lengths(value) for value in node.values())


@settings(max_examples=20, deadline=None)
@given(deliveries())
def test_slacks_limits_hold_for_any_text(delivery: Delivery) -> None:
    message = message_for(delivery, NOON)
    whole = payload(message)
    for blocks in (whole["blocks"], brief(message)):
        sent = json.loads(encode({"text": whole["text"], "blocks": blocks}))
        assert slack_hook.refused_content(sent) == ""
        assert len(sent["blocks"]) <= BLOCKS
        assert lengths(sent["blocks"]) <= TOGETHER
        assert sent["blocks"][0]["type"] == "header"
    raw = json.dumps(whole)
    assert "<!" not in raw
    assert "<http" not in raw


@settings(max_examples=20, deadline=None)
@given(deliveries())
def test_pagerdutys_limits_hold_for_any_text(delivery: Delivery) -> None:
    sent = encode(event(delivery, message_for(delivery, NOON), ROUTING_KEY))
    assert events_v2.refusals(json.loads(sent)) == []
    assert len(sent) <= events_v2.BODY_LIMIT


@settings(max_examples=20, deadline=None)
@given(deliveries())
def test_buttons_only_link_and_only_to_the_web(delivery: Delivery) -> None:
    for block in payload(message_for(delivery, NOON))["blocks"]:  # type: ignore[attr-defined]  # a list of blocks
        for element in block.get("elements", ()) if block["type"] == "actions" else ():
            assert element["type"] == "button"
            assert element["url"].startswith(("http://", "https://"))
            assert element["url"].isascii()
            assert "value" not in element
