"""The documents of one route, one incident and the agent."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from figwatch_agent.durations import HOUR, SECOND
from figwatch_agent.model.agent import AgentFacts, FileDigest, Queue, Reload, StoreFacts
from figwatch_agent.model.history import SPANS
from figwatch_agent.model.names import AlertName
from figwatch_agent.model.outcome import Transition, TransitionKind
from figwatch_agent.report.agent import agent_document
from figwatch_agent.report.incident_record import incident_record, phases
from figwatch_agent.report.route import route_document
from support.agent_site import failing_world
from support.model_values import NOON, a_decision, an_incident
from support.world import CHAT, GATEWAY, START, World


def route(world: World, *transitions: Transition, span: str = "1h") -> dict[str, Any]:
    """Of the chat route, through JSON."""
    history = world.engine.history(CHAT, SPANS[span][0])
    assert history is not None
    document = route_document(world.engine.view(world.now), history, span, transitions)
    found: dict[str, Any] = json.loads(json.dumps(document, allow_nan=False))
    return found


def happened(world: World, what: TransitionKind, subject: str, **data: str) -> Transition:
    """Something that was remembered now."""
    return Transition(at=world.now, kind=what, subject=subject, text="x", data=tuple(data.items()))


def test_both_sides_of_a_route_stand_on_one_axis() -> None:
    found = route(failing_world())
    service, legacy = found["sides"]
    assert (service["side"], legacy["side"]) == ("service", "legacy")
    lengths = {len(side[member]) for side in (service, legacy) for member in ("requests", "judged", "failed", "p95_ms")}
    assert lengths == {found["axis"]["slots"]} == {len(found["covered_ms"])}
    assert sum(count or 0 for count in service["failed"]) == 160
    assert service["p95_ms"][-1] == {"low": 25, "high": 50}


def test_counts_over_time_are_whole_or_null() -> None:
    found = route(failing_world())
    counts = [count for side in found["sides"] for member in ("requests", "judged", "failed") for count in side[member]]
    counts += [count for budget in found["budgets"] for member in ("bad", "total") for count in budget[member]]
    assert {type(count) for count in counts} == {int, type(None)}


def test_the_tiers_of_a_route_carry_factor_and_burn() -> None:
    tiers = route(failing_world())["slos"][0]["tiers"]
    assert [tier["factor"] for tier in tiers][:2] == [14.4, 6]
    assert all(tier["burn_rate_low"] <= tier["burn_rate_high"] for tier in tiers)


def test_deployments_rollbacks_incidents_and_restarts_are_marked() -> None:
    world = failing_world()
    incident = world.incident()
    found = route(
        world,
        happened(world, TransitionKind.EVENT_RECORDED, "chat", kind="deployment", version="1.2"),
        happened(world, TransitionKind.EVENT_RECORDED, "another", kind="deployment"),
        happened(world, TransitionKind.EVENT_RECORDED, "chat", kind="survey"),
        happened(world, TransitionKind.ROLLBACK_STATE, incident.id, state="done"),
        happened(world, TransitionKind.ROLLBACK_STATE, "inc-other", state="done"),
        happened(world, TransitionKind.RESTARTED, "agent"),
    )
    assert [(marker["kind"], marker["label"]) for marker in found["markers"]] == [
        ("incident", "impact began"),
        ("deployment", "deployed 1.2"),
        ("restart", "agent restarted"),
        ("rollback", "rollback done"),
    ]


def test_an_incident_lists_its_stages_with_the_time_since_the_impact_began() -> None:
    incident = replace(
        an_incident(resolved_at=NOON + 600 * SECOND), acknowledged_by="ann", acknowledged_at=NOON + SECOND
    )
    found = incident_record(incident, NOON + HOUR)
    stages = found["stages"]
    assert isinstance(stages, list)
    assert [(stage["stage"], stage["seconds_since_impact"], stage["by"]) for stage in stages] == [
        ("impact_start", 0, None),
        ("detected", 3, None),
        ("paged", None, None),
        ("acknowledged", 4, "ann"),
        ("mitigated", 603, None),
        ("resolved", 603, None),
    ]
    assert found["age_seconds"] == 603


def test_every_decision_about_an_incident_is_told_in_order() -> None:
    incident = replace(an_incident(), decision=a_decision())
    decided = [
        Transition(
            at=NOON + place * SECOND,
            kind=TransitionKind.DECIDED,
            subject=subject,
            text=f"decision {place}",
            data=(("page_tier", "yes: early: fires"),),
        )
        for place, subject in ((2, incident.id), (1, incident.id), (3, "inc-other"))
    ]
    found = incident_record(incident, NOON + HOUR, transitions=decided)["decisions"]
    assert isinstance(found, list)
    assert [each["text"] for each in found] == ["decision 1", "decision 2"]
    assert found[0]["conditions"] == [{"name": "page_tier", "holds": "yes", "evidence": "early: fires"}]


def test_an_incident_links_only_runbooks_that_can_be_read() -> None:
    name = AlertName.EARLY_OUTAGE.value
    assert incident_record(an_incident(), NOON)["runbooks"] == [{"alert": name, "path": None}]
    assert incident_record(an_incident(), NOON, runbooks={name})["runbooks"] == [
        {"alert": name, "path": f"/runbooks/{name}"}
    ]


def test_what_never_came_about_before_the_end_is_no_phase() -> None:
    over = an_incident(resolved_at=NOON + 60 * SECOND)
    assert [phase.name for phase in phases(over)] == ["until detected", "impact", "whole incident"]
    assert [phase.name for phase in phases(an_incident()) if phase.end is None] == [
        "until paged",
        "until acknowledged",
        "impact",
        "whole incident",
    ]


FACTS = AgentFacts(
    at=START + HOUR,
    version="1.0",
    started_at=START,
    healthy={"loop": True},
    store=StoreFacts(path="/secret/place.db", healthy=True, bytes=10, schema=2, last_commit=START),
    queues=(Queue(receiver="oncall", state="pending", rows=2),),
    oldest_pending=START,
    interval=SECOND,
    last_tick=4,
    kill_switch=True,
    reload=Reload(at=START, ok=False, reason="/secret/figwatch.yaml:3:1 unknown key"),
    files=(FileDigest(path="/secret/figwatch.yaml", sha256="0" * 64),),
    faults={GATEWAY: "Connect call failed to http://user:hunter2@gateway"},
)


def test_a_scrape_target_that_is_down_says_why_in_words() -> None:
    world = World()
    world.both(3)
    world.up = False
    world.tick(7)
    source = agent_document(world.engine.view(world.now), FACTS)["sources"]
    assert isinstance(source, list)
    assert source[0]["reason"] == "Connect call failed to http://***@gateway"
    assert (source[0]["up"], source[0]["stale_seconds"]) == (False, 7)


def test_the_agent_tells_outbox_store_uptime_and_reload() -> None:
    found = agent_document(None, FACTS)
    assert found["uptime_seconds"] == 3600
    assert found["outbox"] == {
        "oldest_pending_at": "2026-09-21T14:13:20.000Z",
        "oldest_pending_seconds": 3600,
        "queues": [{"receiver": "oncall", "state": "pending", "rows": 2}],
    }
    assert found["reload"] == {
        "at": "2026-09-21T14:13:20.000Z",
        "ok": False,
        "reason": "/secret/figwatch.yaml:3:1 unknown key",
    }
    assert (found["mode"], found["kill_switch"]) == (None, True)


def test_in_public_no_path_is_named() -> None:
    assert "/secret" not in json.dumps(agent_document(None, FACTS, public=True))
