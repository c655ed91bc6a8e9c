"""Why, asked of a running agent: over HTTP, and with the verb."""

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse

from figwatch_agent.cli import main
from figwatch_agent.durations import format_instant
from support.agent_site import CHAT, Site, failing_world, live_agent, serving


async def site() -> Site:
    found = Site(world=failing_world())
    await found.commit()
    return found


async def problem(answer: ClientResponse) -> str:
    found: list[str] = (await answer.json())["errors"]
    assert len(found) == 1
    return found[0]


async def test_it_answers_with_every_condition_of_the_route() -> None:
    async with serving(await site()) as client:
        answer = await client.get("/api/v1/explain", params={"subject": CHAT})
        assert answer.status == 200
        document = await answer.json()
    assert document["kind"] == "route"
    assert document["past"] is None
    assert {watch["tier"] for watch in document["watches"] if watch["firing"]} == {"early"}
    assert document["incidents"][0]["decision"]["conditions"]


async def test_an_unknown_subject_is_answered_with_near_names() -> None:
    async with serving(await site()) as client:
        answer = await client.get("/api/v1/explain", params={"subject": "chat-availabilty"})
        assert answer.status == 404
        assert (
            await problem(answer)
            == "nothing is called 'chat-availabilty': did you mean chat-availability or chat-latency?"
        )
        answer = await client.get("/api/v1/explain", params={"subject": "zzz"})
        assert "name a route, an SLO, an incident or an alert" in await problem(answer)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "subject is missing"),
        ("subject=chat-availability&at=yesterday", "at is an instant such as"),
        ("subject=chat-availability&at=2026-09-21T14:05:00", "at is an instant such as"),
        ("subject=chat-availability&at=2046-09-21T14:05:00Z", "at lies ahead"),
        ("subject=chat-availability&when=now", "unknown parameter 'when'"),
    ],
)
async def test_a_question_that_cannot_be_read_says_why(query: str, said: str) -> None:
    async with serving(await site()) as client:
        answer = await client.get(f"/api/v1/explain?{query}")
        assert answer.status == 400
        assert said in await problem(answer)


async def test_before_the_first_tick_it_asks_for_patience() -> None:
    async with serving(Site()) as client:
        assert (await client.get("/api/v1/explain", params={"subject": CHAT})).status == 503


async def test_an_instant_of_the_past_is_answered_from_what_was_stored() -> None:
    found = await site()
    fired = found.world.incident().alerts[0].fired_at
    async with serving(found) as client:
        answer = await client.get("/api/v1/explain", params={"subject": CHAT, "at": format_instant(fired)})
        document: dict[str, Any] = await answer.json()
    assert document["watches"] == []
    assert document["past"]["alerts"][0]["fired_at"] == format_instant(fired)
    assert document["past"]["decisions"][0]["text"].startswith(CHAT)
    assert any(each["kind"] == "alert_fired" for each in document["past"]["before"])


def test_the_verb_reads_it_as_people_and_as_programs_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = failing_world()
    with live_agent(tmp_path, world) as config:
        assert main(["explain", CHAT, "--config", config]) == 0
        text = capsys.readouterr().out
        assert main(["explain", "chat-availability", "--config", config, "--output", "json"]) == 0
        document = json.loads(capsys.readouterr().out)
        assert main(["explain", "chat-availabilty", "--config", config]) == 1
        complaint = capsys.readouterr().err
        assert main(["explain", CHAT, "--at", "lunch", "--config", config]) == 2
    assert "It pages: chat-availability early" in text
    assert f"INCIDENT {world.incident().id}" in text
    assert document["kind"] == "slo"
    assert "did you mean chat-availability or" in complaint
