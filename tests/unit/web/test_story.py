"""What the first line of the overview says, whatever is the matter."""

from __future__ import annotations

from typing import Any

import pytest

from figwatch_agent.model.decision import DecisionOutcome
from figwatch_agent.model.effect import RollbackState
from figwatch_agent.model.incident import RollbackVerdict
from figwatch_agent.model.names import AlertName
from figwatch_agent.web import pages_story
from figwatch_agent.web.pages_overview import share_path, span_for
from figwatch_agent.web.pages_story import doing, headline, incident_state, incident_word, symptom

WELL = {"loop": True, "store": True, "outbox": True}


def incident(**changed: Any) -> dict[str, Any]:
    """A page that is open, as a list has it."""
    usual = {
        "route": "/chat",
        "severity": "page",
        "open": True,
        "mitigated": False,
        "alerts": ["EarlyOutage"],
        "decision": None,
        "rollback": None,
    }
    return usual | changed


def overview(*incidents: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """The overview with these open incidents."""
    pages = sum(one["severity"] == "page" for one in incidents)
    usual = {
        "incidents": list(incidents),
        "open": {"page": pages, "ticket": len(incidents) - pages},
        "legacy_ratio": "0.25",
        "targets": {"up": 2, "all": 2},
        "page": {"all": 5},
    }
    return usual | changed


@pytest.mark.parametrize(
    ("document", "healthy", "state", "sentence"),
    [
        (overview(), WELL, "ok", "All 5 routes keep their promises"),
        (overview(page={"all": 1}), WELL, "ok", "The only route keeps its promises"),
        (overview(page={"all": 0}), WELL, "unknown", "No route is declared"),
        (overview(targets={"up": 1, "all": 2}), WELL, "warn", "All 5 routes keep their promises"),
        (overview(targets={"up": 0, "all": 2}), WELL, "unknown", "Nothing can be measured just now"),
        (overview(incident()), WELL, "bad", "/chat: requests fail"),
        (overview(incident(mitigated=True)), WELL, "warn", "/chat is healing"),
        (overview(incident(), incident(route="/b")), WELL, "bad", "2 routes are in trouble"),
        (overview(incident(severity="ticket")), WELL, "warn", "One ticket is open"),
        (overview(incident(route="")), WELL, "bad", "figwatch itself: requests fail"),
        (overview(), WELL | {"store": False}, "bad", "figwatch itself is not well: store"),
        (overview(), WELL | {"loop": False}, "unknown", "figwatch cannot see just now"),
        (overview(incident()), WELL | {"loop": False}, "unknown", "figwatch cannot see just now"),
        (overview(incident()), WELL | {"outbox": False}, "bad", "/chat: requests fail"),
    ],
)
def test_the_first_line_says_the_worst(
    document: dict[str, Any], healthy: dict[str, bool], state: str, sentence: str
) -> None:
    said = headline(document, healthy)
    assert (said.state, said.sentence) == (state, sentence)
    assert said.more.endswith(".")


def test_a_spent_budget_and_a_blind_spot_are_never_called_well() -> None:
    assert headline(overview(), WELL, spent=2).sentence == "2 routes have spent their error budgets"
    assert headline(overview(), WELL, spent=2).state == "warn"
    assert headline(overview(), WELL, blind=1).state == "unknown"


def test_the_title_counts_what_is_open() -> None:
    assert headline(overview(incident(), incident(severity="ticket")), WELL).title == "2 open · figwatch"
    assert headline(overview(), WELL).title == "all well · figwatch"


def test_every_alert_state_and_decision_has_words() -> None:
    assert set(pages_story._SYMPTOMS) == {name.value for name in AlertName}
    assert set(pages_story._ROLLBACKS) == {state.value for state in RollbackState}
    assert set(pages_story._DECISIONS) == {outcome.value for outcome in DecisionOutcome}
    assert set(pages_story._VERDICTS) == {verdict.value for verdict in RollbackVerdict}


def test_of_several_alerts_the_worst_speaks() -> None:
    assert symptom(["LatencyDegraded", "EarlyOutage"]) == "requests fail"


def test_what_figwatch_did_is_said_before_what_it_decided() -> None:
    ran = {"state": "done", "verdict": "helped"}
    assert doing(incident(decision="rollback", rollback=ran)) == "figwatch sent the route back to legacy, and it helped"
    assert doing(incident(decision="withheld")) == "no rollback: a person must act"
    assert doing(incident()) == ""


def test_a_rollback_that_is_withheld_says_why_and_an_open_question_sounds_like_no_refusal() -> None:
    refused = incident(decision="withheld", reason="legacy_unfit")
    assert doing(refused) == "no rollback: legacy is not fit to take over"
    asked = incident(decision={"outcome": "withheld", "reason": "comparison_undecided"})
    assert doing(asked) == "no rollback yet: comparing with legacy, the decision follows"


def test_what_is_over_is_told_as_past() -> None:
    assert symptom(["EarlyOutage"], over=True) == "requests failed"
    assert symptom([], over=True) == "something was wrong"


@pytest.mark.parametrize(
    ("changed", "state", "word"),
    [
        ({}, "bad", "users affected"),
        ({"mitigated": True}, "warn", "impact over, still watched"),
        ({"severity": "ticket"}, "warn", "open"),
        ({"open": False, "mitigated": True}, "ok", "resolved"),
    ],
)
def test_an_incident_has_a_shape_and_a_word(changed: dict[str, Any], state: str, word: str) -> None:
    assert incident_state(incident(**changed)) == state
    assert incident_word(incident(**changed)) == word


def test_the_picture_of_a_share_leaves_gaps_where_nothing_was_measured() -> None:
    half, none, all_of_it = ({"legacy": each, "total": 2} for each in (1, 0, 2))
    assert share_path([half, none]) == "M0 12L96 22"
    assert share_path([all_of_it, None, half]) == "M0 2h0M96 12h0"
    assert share_path([]) == share_path([None]) == share_path([{"legacy": 0, "total": 0}]) == ""


def test_the_span_fits_the_time_that_was_watched() -> None:
    minute = 60_000
    assert [span_for(each * minute) for each in (0, 15, 16, 61, 361, 5000)] == ["15m", "15m", "1h", "6h", "3d", "30d"]
