"""The status document says what the engine saw, exactly, and nothing that JSON cannot hold."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from figwatch_agent.model.names import Mode
from figwatch_agent.report.secrecy import without_userinfo
from figwatch_agent.report.status import status_document
from support.agent_site import failing_world
from support.world import CHAT, World
from support.world import settings as world_settings

HEALTHY = {"loop": True, "store": True, "outbox": True}


def document(world: World) -> dict[str, Any]:
    """As it arrives at whoever asks: through JSON, which refuses NaN and Inf here."""
    text = json.dumps(status_document(world.engine.view(world.now), HEALTHY), allow_nan=False)
    found: dict[str, Any] = json.loads(text)
    return found


def test_an_engine_that_has_seen_nothing_says_so_everywhere() -> None:
    found = document(World())
    assert found["version"] == 1
    assert found["legacy_ratio"] is None
    assert [(route["legacy_ratio"], route["reason"]) for route in found["routes"]] == [
        (None, "no request of a user was seen in the last hour")
    ]
    assert {slo["error_ratio"] for slo in found["slos"]} == {None}
    assert all(slo["reason"] for slo in found["slos"])
    assert {criterion["verdict"] for criterion in found["criteria"]} == {"inconclusive"}
    assert all(criterion["reason"] for criterion in found["criteria"])


def test_requests_and_the_legacy_ratio_are_counts_of_the_edge() -> None:
    world = World()
    world.both(20)
    found = document(world)
    route = found["routes"][0]
    # What was there at the first scrape is a starting value, so nineteen seconds are counted.
    assert route["requests"] == {"legacy": 190, "service": 760, "shadow": 0, "unknown": 0}
    assert (route["legacy_ratio"], found["legacy_ratio"]) == ("0.2", "0.2")


def test_shadow_requests_are_in_no_ratio() -> None:
    world = World()
    for _ in range(5):
        world.serve(side="legacy", good=1)
        world.serve(side="service", good=3)
        world.serve(side="shadow", good=50)
        world.tick()
    found = document(world)
    assert found["routes"][0]["requests"]["shadow"] == 200
    assert found["routes"][0]["legacy_ratio"] == "0.25"


def test_an_incident_carries_its_stages_and_every_condition_of_the_guard() -> None:
    incident = document(failing_world())["incidents"][0]
    assert (incident["route"], incident["severity"], incident["open"]) == (CHAT, "page", True)
    assert incident["impact_start"] < incident["detected_at"]
    assert incident["resolved_at"] is None
    decision = incident["decision"]
    assert (decision["outcome"], decision["reason"]) == ("rollback", "conditions_hold")
    assert [condition["name"] for condition in decision["conditions"]][:2] == ["page_tier", "worse_than_control"]
    assert {condition["holds"] for condition in decision["conditions"]} == {"yes"}
    assert all(condition["evidence"] for condition in decision["conditions"])
    assert incident["rollback"]["state"] == "committed"
    assert incident["rollback"]["verdict"] == "pending"


def test_a_dry_run_has_a_decision_and_no_rollback() -> None:
    incident = document(failing_world(conf=world_settings(mode=Mode.DRY_RUN)))["incidents"][0]
    assert incident["decision"]["outcome"] == "dry_run"
    assert incident["rollback"] is None


def test_counts_are_whole_and_ratios_follow_from_them() -> None:
    slo = document(failing_world())["slos"][0]
    assert slo["counts"] == {"bad": 160, "total": 1850}
    assert slo["error_ratio"] == round(160 / 1850, 9)
    assert any(tier["firing"] for tier in slo["tiers"])


def test_uptime_has_bounds_that_hold_its_availability() -> None:
    world = World()
    world.both(20)
    uptime = next(slo["uptime"] for slo in document(world)["slos"] if slo["kind"] == "uptime")
    assert uptime["lower_bound"] <= uptime["availability"] <= uptime["upper_bound"]
    assert uptime["up_ms"] + uptime["down_ms"] + uptime["unknown_ms"] == 30 * 24 * 3600 * 1000


def test_a_scrape_target_that_is_down_is_named_with_its_reason() -> None:
    world = World()
    world.both(3)
    world.up = False
    world.tick()
    target = document(world)["agent"]["targets"][0]
    assert target["up"] is False
    assert target["reason"]


def test_no_password_of_a_url_is_shown() -> None:
    world = World()
    world.tick()
    view = world.engine.view(world.now)
    target = replace(view.targets[0], target="http://user:hunter2@gateway:8080/metrics")
    finding = "scrape target http://user:hunter2@gateway:8080/metrics is down"
    shown = json.dumps(status_document(replace(view, targets=(target,), findings=(finding,)), HEALTHY))
    assert "hunter2" not in shown
    assert "http://***@gateway:8080/metrics" in shown


def test_an_at_sign_in_a_path_is_left_alone() -> None:
    assert without_userinfo("http://host/users/@me and a@b") == "http://host/users/@me and a@b"


def test_every_part_of_the_agents_health_is_told() -> None:
    world = World()
    world.tick()
    found = status_document(world.engine.view(world.now), {"loop": True, "store": False})
    agent = found["agent"]
    assert isinstance(agent, dict)
    assert agent["healthy"] == {"loop": True, "store": False}


SECOND_OF_TRAFFIC = st.tuples(
    st.sampled_from(["service", "legacy", "shadow", "unknown", "odd\x1b[31m"]),
    st.integers(0, 30),
    st.integers(0, 30),
    st.integers(0, 5),
    st.booleans(),
)


@settings(max_examples=25)
@given(st.lists(SECOND_OF_TRAFFIC, max_size=25))
def test_whatever_users_do_the_document_is_strict_json(story: list[tuple[str, int, int, int, bool]]) -> None:
    world = World()
    for side, good, bad, slow, up in story:
        world.up = up
        world.serve(side=side, good=good, bad=bad, slow=slow)
        world.tick()
    found = document(world)
    for route in found["routes"]:
        assert route["legacy_ratio"] is None or 0 <= float(route["legacy_ratio"]) <= 1
    for slo in found["slos"]:
        assert (slo["error_ratio"] is None) == (slo["counts"]["total"] == 0)
        assert 0 <= slo["coverage"] <= 1
