"""The page of an incident says what to type next, and nothing in it can hide what follows."""

from __future__ import annotations

from typing import Any

from figwatch_agent.report.incident_page import incident_page
from figwatch_agent.report.incidents import incident_document
from support.world import CHAT, World


def document(**changed: object) -> dict[str, Any]:
    """An open incident of the chat route, as JSON."""
    world = World()
    world.both(30)
    world.both(8, service_bad=20)
    return {**incident_document(world.incident()), **changed}


def test_an_open_incident_is_told_with_stages_decision_and_commands() -> None:
    incident = document()
    page = incident_page(incident, [])
    assert page.startswith(f"{CHAT}: OPEN\n")
    assert f"  impact began  {incident['impact_start']}\n" in page
    assert "  worse_than_control: yes: " in page
    assert f"  figwatch ack {incident['id']}\n" in page
    assert "Who was told\n  nobody\n" in page


def test_an_incident_that_is_over_asks_for_nothing() -> None:
    assert "What you can do" not in incident_page(document(open=False), [])


def test_a_route_cannot_move_the_cursor_of_a_terminal() -> None:
    assert "\x1b" not in incident_page(document(route="/\x1b[2J"), [])


def test_a_rollback_that_awaits_a_word_comes_with_its_command() -> None:
    incident = document()
    waiting = {**incident["decision"], "outcome": "awaiting_approval", "reason": "awaiting_approval"}
    page = incident_page({**incident, "decision": waiting, "rollback": None}, [])
    assert f"figwatch rollback approve {incident['id']}" in page
    assert "  awaiting_approval, at " in page


def test_a_message_that_went_to_the_fallback_says_so() -> None:
    row = {
        "created_at": "2026-01-01T00:00:00.000Z",
        "kind": "trigger",
        "receiver": "chat-ops",
        "original_receiver": "oncall",
        "state": "accepted",
        "reason": None,
    }
    assert "trigger to chat-ops instead of oncall: accepted" in incident_page(document(), [row])
