"""The server's contract, spoken over real sockets."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import ClientResponse

from figwatch_agent.durations import MINUTE
from figwatch_agent.model.command import Command, CommandKind
from figwatch_agent.model.view import View
from figwatch_agent.web.deps import Gate
from support.agent_site import (
    CHAT,
    OPERATE,
    UNCAPPED,
    VIEW,
    Client,
    GoneStore,
    Site,
    bearer,
    failing_world,
    serving,
)
from support.world import START

ACK = {"kind": "acknowledge", "subject": "inc-1"}


async def commands(site: Site) -> tuple[Command, ...]:
    """What waits in the inbox."""
    waiting, _ = await site.store.waiting()
    return waiting


async def problems(answer: ClientResponse) -> list[str]:
    """The errors of an answer, which are JSON whatever went wrong."""
    assert answer.content_type == "application/json"
    found: list[str] = (await answer.json())["errors"]
    return found


async def ask(client: Client, path: str) -> Any:
    """The JSON of a path that answers 200."""
    answer = await client.get(path)
    assert answer.status == 200
    return json.loads(await answer.text(), parse_constant=lambda name: pytest.fail(f"{name} in {path}"))


async def test_the_process_is_alive_even_if_nothing_is_well() -> None:
    site = Site(healthy={"loop": False, "store": False})
    async with serving(site) as client:
        assert await ask(client, "/healthz") == {"alive": True}


async def test_readiness_names_what_is_not_ready() -> None:
    site = Site(healthy={"loop": True, "store": False, "outbox": False})
    async with serving(site) as client:
        answer = await client.get("/readyz")
        assert answer.status == 503
        assert await answer.json() == {"ready": False, "not_ready": ["first tick", "outbox", "store"]}


async def test_it_is_ready_after_the_first_tick() -> None:
    site = Site(world=failing_world())
    await site.commit()
    async with serving(site) as client:
        assert await ask(client, "/readyz") == {"ready": True, "not_ready": []}


async def test_the_agents_counters_are_a_page_of_prometheus() -> None:
    site = Site()
    site.telemetry.tick(0.1)
    async with serving(site) as client:
        answer = await client.get("/metrics")
        assert answer.headers["Content-Type"] == site.telemetry.content_type
        assert b"figwatch_agent_ticks_total 1.0" in await answer.read()


async def test_whoever_may_look_finds_the_figures_of_the_newest_tick_on_that_page() -> None:
    site = Site(world=failing_world())
    async with serving(site) as client:
        assert b"figwatch_route_" not in await (await client.get("/metrics")).read()
        await site.commit()
        page = (await (await client.get("/metrics")).read()).decode()
        assert f'figwatch_route_legacy_ratio{{migration="ai-assistant",route="{CHAT}",service="chat"}} 0.2' in page
        assert page.count("# TYPE figwatch_agent_ticks_total counter") == 1


async def test_where_looking_needs_a_token_the_page_of_counters_says_nothing_of_the_migration_without_one() -> None:
    site = Site(world=failing_world(), gate=Gate(access="token", caps=UNCAPPED))
    await site.commit()
    async with serving(site) as client:
        stranger = await (await client.get("/metrics")).read()
        known = await (await client.get("/metrics", headers=bearer(VIEW))).read()
    assert b"figwatch_agent_ticks_total" in stranger
    assert CHAT.encode() not in stranger
    assert CHAT.encode() in known


async def test_there_is_no_status_before_the_first_tick() -> None:
    async with serving(Site()) as client:
        answer = await client.get("/api/v1/status")
        assert answer.status == 503
        assert "first tick" in (await problems(answer))[0]


async def test_the_status_is_that_of_the_newest_view() -> None:
    site = Site(world=failing_world())
    await site.commit()
    async with serving(site) as client:
        status = await ask(client, "/api/v1/status")
        assert status["migration"] == "ai-assistant"
        assert status["incidents"][0]["route"] == CHAT
        assert (await ask(client, "/api/v1/incidents"))["incidents"] == status["incidents"]


async def test_rollbacks_deliveries_and_transitions_come_from_the_store() -> None:
    site = Site(world=failing_world())
    await site.commit()
    incident = site.world.incident().id
    async with serving(site) as client:
        rollback = (await ask(client, "/api/v1/rollbacks"))["rollbacks"][0]
        assert (rollback["incident"], rollback["state"], rollback["plan"]) == (incident, "committed", "chat-to-legacy")
        assert rollback["steps"][0]["call"] == "POST (hidden)"
        told = await (await client.get("/api/v1/rollbacks", headers=bearer(VIEW))).json()
        assert told["rollbacks"][0]["steps"][0]["call"] == "POST http://127.0.0.1:2/routes"
        assert (await ask(client, f"/api/v1/rollbacks/{rollback['id']}"))["rollback"] == rollback
        assert (await ask(client, f"/api/v1/rollbacks/{incident}"))["rollback"] == rollback
        delivery = (await ask(client, f"/api/v1/deliveries?incident={incident}"))["deliveries"][-1]
        assert (delivery["receiver"], delivery["kind"], delivery["state"]) == ("oncall", "trigger", "pending")
        assert (await ask(client, "/api/v1/deliveries?incident=other"))["deliveries"] == []
        kinds = [one["kind"] for one in (await ask(client, "/api/v1/transitions"))["transitions"]]
        assert {"alert_fired", "incident_opened", "decided"} <= set(kinds)
        assert len((await ask(client, "/api/v1/transitions?limit=1"))["transitions"]) == 1


@pytest.mark.parametrize("limit", ["0", "-1", "x", "", "9" * 400, "٣"])
async def test_an_odd_limit_is_named(limit: str) -> None:
    async with serving(Site()) as client:
        answer = await client.get("/api/v1/transitions", params={"limit": limit})
        assert answer.status == 400
        assert (await problems(answer))[0].startswith("limit is a whole number from 1 to 1000")


async def test_everything_wrong_with_a_query_is_named_at_once() -> None:
    async with serving(Site()) as client:
        answer = await client.get("/api/v1/overview?page=0&stage=canary&stage=legacy&sapn=6h")
        assert answer.status == 400
        assert await problems(answer) == [
            "page is a whole number from 1 to 100000, not '0'",
            "stage is given 2 times",
            "unknown parameter 'sapn': did you mean span?",
        ]


async def test_the_overview_pages_and_filters_its_routes() -> None:
    site = Site(world=failing_world())
    await site.commit()
    async with serving(site) as client:
        whole = await ask(client, "/api/v1/overview")
        assert [route["route"] for route in whole["routes"]] == [CHAT]
        assert (await ask(client, "/api/v1/overview?q=nothing-like-it"))["routes"] == []
        assert (await ask(client, "/api/v1/overview?stage=canary&q=CHAT&page=9"))["page"]["number"] == 1
        assert (await ask(client, "/api/v1/routes"))["routes"] == whole["routes"]


@pytest.mark.parametrize("path", ["api/v1/chat", "/api/v1/chat", "%2Fapi%2Fv1%2Fchat"])
async def test_a_route_is_found_with_and_without_its_slash(path: str) -> None:
    site = Site(world=failing_world())
    await site.commit()
    async with serving(site) as client:
        found = await ask(client, f"/api/v1/routes/{path}?span=1h")
        assert (found["route"]["route"], found["span"], len(found["covered_ms"])) == (CHAT, "1h", 60)


async def test_one_incident_has_its_stages_decisions_and_deliveries() -> None:
    site = Site(world=failing_world())
    await site.commit()
    async with serving(site) as client:
        found = await ask(client, f"/api/v1/incidents/{site.world.incident().id}")
        assert [stage["stage"] for stage in found["stages"]] == [
            "impact_start",
            "detected",
            "paged",
            "acknowledged",
            "mitigated",
            "resolved",
        ]
        assert found["decisions"][0]["conditions"][0]["holds"] == "yes"
        assert found["deliveries"][-1]["receiver"] == "oncall"
        assert found["rollback"]["plan"] == "chat-to-legacy"
        assert found["size"]["bad"] > 0
        assert (await client.get("/api/v1/incidents/nobody")).status == 404


async def test_the_agent_answers_before_the_first_tick() -> None:
    async with serving(Site()) as client:
        found = await ask(client, "/api/v1/agent")
        assert (found["newest_tick_at"], found["sources"], found["kill_switch"]) == (None, [], False)
        assert found["outbox"]["queues"] == [{"receiver": "oncall", "state": "pending", "rows": 1}]
        assert found["reload"]["ok"] is False


async def test_a_badge_says_by_its_etag_that_it_did_not_change() -> None:
    site = Site(world=failing_world())
    await site.commit()
    async with serving(site) as client:
        answer = await client.get(f"/badges/route{CHAT}.svg")
        assert (answer.status, answer.content_type) == (200, "image/svg+xml")
        assert f"<title>{CHAT}: failing</title>" in await answer.text()
        assert "max-age" in answer.headers["Cache-Control"]
        again = await client.get(f"/badges/route{CHAT}.svg", headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status, await again.read()) == (304, b"")
        assert (await client.get("/badges/criterion/nobody.svg")).status == 404


async def test_a_badge_before_the_first_tick_is_grey_and_says_unknown() -> None:
    async with serving(Site()) as client:
        assert "unknown" in await (await client.get("/badges/criterion/mttr.svg")).text()


async def test_an_unknown_rollback_is_not_found_in_json() -> None:
    async with serving(Site()) as client:
        answer = await client.get("/api/v1/rollbacks/nobody%2F<script>")
        assert answer.status == 404
        assert "nobody/<script>" in (await problems(answer))[0]


async def test_a_wish_is_durable_when_it_is_answered() -> None:
    site = Site()
    async with serving(site) as client:
        body = {"kind": "silence", "subject": CHAT, "why": "moving", "for": "30m", "data": {"ticket": "OPS-1"}}
        answer = await client.post("/api/v1/commands", json=body, headers=bearer())
        assert answer.status == 202
        assert (await answer.json())["id"] == "new-1"
    (command,) = await commands(site)
    assert command == Command(
        id="new-1",
        kind=CommandKind.SILENCE,
        at=START,
        actor="team",
        origin="api 127.0.0.1",
        subject=CHAT,
        why="moving",
        until=START + 30 * MINUTE,
        data=(("ticket", "OPS-1"),),
    )


async def test_the_same_key_is_the_same_wish() -> None:
    site = Site()
    async with serving(site) as client:
        for _ in range(3):
            answer = await client.post("/api/v1/commands", json=ACK, headers=bearer(**{"Idempotency-Key": "k-1"}))
            assert (answer.status, (await answer.json())["id"]) == (202, "team/k-1")
    assert [command.id for command in await commands(site)] == ["team/k-1"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": f"Basic {OPERATE}"},
        {"Authorization": f"Bearer {OPERATE}x"},
        {"Authorization": f"Bearer {OPERATE[:-1]}"},
        {"Authorization": "Bearer \udce4"},
        {"Authorization": OPERATE},
    ],
)
async def test_a_wrong_token_changes_nothing(headers: dict[str, str]) -> None:
    site = Site()
    async with serving(site) as client:
        answer = await client.post("/api/v1/commands", json=ACK, headers=headers)
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert OPERATE not in str(await problems(answer))
    assert await commands(site) == ()


async def test_a_token_that_may_look_may_not_change() -> None:
    site = Site()
    async with serving(site) as client:
        answer = await client.post("/api/v1/commands", json=ACK, headers=bearer(VIEW))
        assert answer.status == 403
        assert "role view" in (await problems(answer))[0]
    assert await commands(site) == ()


async def test_without_tokens_nothing_can_be_changed() -> None:
    async with serving(Site(), tokens=()) as client:
        answer = await client.post("/api/v1/commands", json=ACK, headers=bearer(""))
        assert answer.status == 401
        assert "web.tokens" in (await problems(answer))[0]


async def test_an_empty_token_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="the token team is empty"):
        Site().app(tokens=(("team", "", "operate"),))


async def test_all_problems_of_a_wish_are_named() -> None:
    site = Site()
    async with serving(site) as client:
        headers = bearer(**{"Idempotency-Key": "k" * 201})
        answer = await client.post("/api/v1/commands", json={"kind": "resolve", "sbject": "x"}, headers=headers)
        assert answer.status == 400
        found = await problems(answer)
    assert [problem.split(" ")[0] for problem in found] == ["Idempotency-Key", "unknown", "subject", "why"]
    assert await commands(site) == ()


async def test_a_huge_body_is_refused_and_not_read_to_its_end() -> None:
    site = Site()
    async with serving(site) as client:
        body = json.dumps(ACK | {"why": "x" * 70_000})
        answer = await client.post("/api/v1/commands", data=body, headers=bearer())
        assert answer.status == 413
        assert "64 KiB" in (await problems(answer))[0]
    assert await commands(site) == ()


async def test_a_stranger_cannot_make_it_read_a_body() -> None:
    async with serving(Site()) as client:
        answer = await client.post("/api/v1/commands", data=b"x" * 70_000)
        assert answer.status == 401


async def test_hostile_labels_arrive_as_they_are_and_as_nothing_but_json() -> None:
    site = Site(world=failing_world())
    await site.commit()
    view = site.latest.latest
    assert view is not None
    hostile = '</script><script>alert(1)</script>"\x1b[2J\u2028'
    route = replace(view.routes[0], route=hostile)
    site.latest.publish(replace(view, routes=(route,)))
    async with serving(site) as client:
        answer = await client.get("/api/v1/status")
        raw = await answer.read()
        assert json.loads(raw)["routes"][0]["route"] == hostile
        assert raw.isascii()
        assert b"\x1b" not in raw
        assert answer.headers["Content-Type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/api/v1/status", "/nowhere", "/api/v1/commands"])
async def test_every_answer_carries_the_security_headers(path: str) -> None:
    async with serving(Site()) as client:
        answer = await client.get(path)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Server"] == "figwatch"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


async def test_a_wrong_path_and_a_wrong_method_are_told_in_json() -> None:
    async with serving(Site()) as client:
        answer = await client.get("/nowhere")
        assert (answer.status, await problems(answer)) == (404, ["404 Not Found: GET /nowhere"])
        answer = await client.delete("/api/v1/status")
        assert answer.status == 405
        assert "GET" in answer.headers["Allow"]
        assert len(await problems(answer)) == 1


async def test_a_wish_that_could_not_be_kept_is_not_accepted() -> None:
    async with serving(Site(store=GoneStore())) as client:
        answer = await client.post("/api/v1/commands", json=ACK, headers=bearer())
        assert answer.status == 503
        assert answer.headers["Retry-After"] == "5"
        assert "disk full" in (await problems(answer))[0]


class _BrokenPublisher:
    @property
    def latest(self) -> View | None:
        raise RuntimeError("a secret in an error")

    def before_each(self, forget: Callable[[], None]) -> None:
        """Nothing comes after this."""


async def test_an_unexpected_error_is_logged_and_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    site = Site()
    site.latest = _BrokenPublisher()  # type: ignore[assignment]  # a publisher that fails
    async with serving(site) as client:
        answer = await client.get("/api/v1/status")
        assert answer.status == 500
        assert "secret" not in str(await problems(answer))
    assert "a secret in an error" in capsys.readouterr().out
