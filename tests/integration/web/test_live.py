"""Streams that keep pages current: what changed and nothing else, the newest for the slow, an end to all of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientResponse

from figwatch_agent.web import live
from support.agent_site import OPERATE, VIEW, Client, Site, bearer, failing_world, serving
from support.world import World

WITHIN = 10.0


class Stream:
    """One client that follows a page."""

    def __init__(self, response: ClientResponse) -> None:
        self.response = response

    async def event(self) -> tuple[str, dict[str, Any]]:
        """The next event: its name and what it carries."""
        async with asyncio.timeout(WITHIN):
            name = (await self.response.content.readline()).decode().removeprefix("event: ").strip()
            data = (await self.response.content.readline()).decode().removeprefix("data: ")
            assert (await self.response.content.readline()) == b"\n"
        return name, json.loads(data)


@asynccontextmanager
async def following(client: Client, **query: str) -> AsyncIterator[Stream]:
    """A stream of the page that is asked for."""
    async with client.get("/live", params=query, headers=bearer(VIEW)) as response:
        assert response.status == 200
        assert response.headers["Content-Type"].startswith("text/event-stream")
        yield Stream(response)


def have(data: dict[str, Any]) -> str:
    """What a client has that was sent this."""
    return ".".join(f"{name}:{digest}" for name, (digest, _) in data["parts"].items())


@pytest.fixture
async def site() -> Site:
    """An agent that has seen half a minute of good requests."""
    site = Site(world=World())
    site.world.both(30)
    await site.commit()
    return site


async def test_who_has_nothing_is_sent_the_whole_page(site: Site) -> None:
    async with serving(site) as client, following(client, page="/") as stream:
        name, data = await stream.event()
    assert name == "page"
    assert data["title"] == "all well · figwatch"
    assert "keeps its promises" in data["parts"]["headline"][1]


async def test_what_changed_is_sent_and_nothing_else(site: Site) -> None:
    async with serving(site) as client, following(client, page="/agent") as stream:
        _, first = await stream.event()
        site.healthy["outbox"] = False
        await site.commit()
        _, second = await stream.event()
    assert {"headline", "parts"} <= set(second["parts"]) < set(first["parts"])
    assert second["icon"] == "bad"


async def test_a_page_that_did_not_change_is_not_sent_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "BEAT", 0.3)
    async with serving(site) as client:
        async with following(client, page="/") as stream:
            _, data = await stream.event()
        async with following(client, page="/", have=have(data)) as stream:
            name, beat = await stream.event()
    assert name == "beat"
    assert beat == {"at": data["at"]}


async def test_a_client_with_other_fragments_or_assets_is_told_to_load_anew(site: Site) -> None:
    async with serving(site) as client:
        async with following(client, page="/", have="something:0") as stream:
            assert (await stream.event())[0] == "reload"
        async with following(client, page="/", assets="old") as stream:
            assert (await stream.event())[0] == "reload"


@pytest.mark.parametrize("page", ["/runbooks/", "/api/v1/status", "//elsewhere.example", "", "/incidents/"])
async def test_what_is_no_live_page_cannot_be_followed(site: Site, page: str) -> None:
    async with serving(site) as client:
        answer = await client.get("/live", params={"page": page}, headers=bearer(VIEW))
        assert answer.status == 404


async def test_a_page_that_goes_away_ends_its_stream(site: Site) -> None:
    async with serving(site) as client, following(client, page="/incidents/inc-nonsense") as stream:
        async with asyncio.timeout(WITHIN):
            assert await stream.response.content.read() == b""


async def test_one_client_too_many_is_told_when_to_come_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live.Live.__init__, "__defaults__", (2,))
    async with serving(site) as client, following(client, page="/") as one, following(client, page="/") as two:
        await one.event()
        await two.event()
        answer = await client.get("/live", params={"page": "/"})
        assert answer.status == 503
        assert answer.headers["Retry-After"] == "30"


async def test_somebody_who_may_act_sees_what_others_do_not() -> None:
    site = Site(world=failing_world())
    await site.commit()
    page = f"/incidents/{site.world.incident().id}"
    async with serving(site) as client:
        async with following(client, page=page) as stream:
            _, viewed = await stream.event()
        async with client.get("/live", params={"page": page}, headers=bearer(OPERATE)) as response:
            _, operated = await Stream(response).event()
    assert "/act/acknowledge" not in viewed["parts"]["headline"][1]
    assert "/act/acknowledge" in operated["parts"]["headline"][1]


async def test_all_who_watch_a_page_share_one_rendering(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    rendered = 0
    renew = live._Channel._renew

    async def counted(self: live._Channel) -> bool:
        nonlocal rendered
        rendered += 1
        return await renew(self)

    monkeypatch.setattr(live._Channel, "_renew", counted)
    async with serving(site) as client:
        streams = [client.get("/live", params={"page": "/"}, headers=bearer(VIEW)) for _ in range(20)]
        responses = [Stream(await each) for each in streams]
        await asyncio.gather(*(each.event() for each in responses))
        for each in responses:
            each.response.close()
    assert rendered <= 2


async def test_a_stream_ends_now_and_then_so_that_who_may_look_is_asked_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LONGEST", 0.0)
    async with serving(site) as client, following(client, page="/") as stream:
        assert (await stream.event())[0] == "again"
        async with asyncio.timeout(WITHIN):
            assert await stream.response.content.read() == b""


async def test_a_stopping_agent_waits_for_no_stream(site: Site) -> None:
    began = asyncio.get_running_loop().time()
    async with serving(site) as client:
        response = await client.get("/live", params={"page": "/"}, headers=bearer(VIEW))
        await Stream(response).event()
    assert asyncio.get_running_loop().time() - began < live.BEAT
