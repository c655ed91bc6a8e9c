"""What messages, badges and events point at is there: no link of ours leads nowhere."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote, urlsplit

import pytest

from figwatch_agent.files.runbooks import read_runbooks
from figwatch_agent.model.effect import DeliveryState
from figwatch_agent.model.journal import Delivery
from figwatch_agent.model.names import AlertName, Mode
from figwatch_agent.model.outcome import TransitionKind
from figwatch_agent.model.settings import Web
from figwatch_agent.notify.message import message_for
from figwatch_agent.web.deps import Gate
from support.agent_site import CHAT, UNCAPPED, Client, Site, bearer, failing_world, serving
from support.parts import ROOT
from support.world import World, service, settings

OUTSIDE = "https://figwatch.example.com"
BROWSER = {"Accept": "text/html"}
WITH_PARAMETER = "/api/v1/chat/{id}"


async def status(client: Client, url: str) -> int:
    """Of what a browser finds at an address that begins with ours."""
    parts = urlsplit(url)
    assert f"{parts.scheme}://{parts.netloc}" == OUTSIDE, url
    async with client.get(parts.path, headers=BROWSER) as answer:
        return answer.status


async def test_every_link_of_every_message_leads_to_a_page() -> None:
    conf = replace(settings(mode=Mode.AUTO), web=Web(external_url=f"{OUTSIDE}/"), runbook_url=f"{OUTSIDE}/runbooks/")
    world = failing_world(conf=conf)
    site = Site(world=world, runbooks=read_runbooks(str(ROOT / "figwatch.yaml")), gate=Gate(caps=UNCAPPED))
    await site.commit()
    urls = set()
    for row in world.rows():
        delivery = Delivery(row=row, state=DeliveryState.SENDING, attempts=1, created_at=world.now, next_at=world.now)
        urls |= {link.url for link in message_for(delivery, world.now).links}
    assert {urlsplit(url).path.split("/")[1] for url in urls} == {"", "incidents", "runbooks"}
    async with serving(site) as client:
        assert {url: await status(client, url) for url in urls} == dict.fromkeys(urls, 200)


async def test_every_alert_has_a_runbook_where_its_messages_lead() -> None:
    site = Site(runbooks=read_runbooks(str(ROOT / "figwatch.yaml")))
    async with serving(site) as client:
        missing = [name for name in AlertName if await status(client, f"{OUTSIDE}/runbooks/{name.value}") != 200]
    assert missing == []


@pytest.mark.parametrize("path", ["/badges/route{}.svg", "/routes{}", "/api/v1/routes{}"])
async def test_a_route_with_a_parameter_is_found_percent_encoded_and_as_it_is(path: str) -> None:
    world = World(services=(service(routes=(CHAT, WITH_PARAMETER)),))
    world.both(5)
    site = Site(world=world)
    await site.commit()
    async with serving(site) as client:
        for written in (quote(WITH_PARAMETER), quote(WITH_PARAMETER, safe=""), WITH_PARAMETER):
            answer = await client.get(path.format("/" * (written[0] != "/") + written), headers=BROWSER)
            assert answer.status == 200, written
            assert "{id}" in (await answer.text()).replace("<wbr>", "")


async def test_a_deployment_that_is_posted_becomes_a_marker_on_the_charts_of_its_service() -> None:
    world = failing_world()
    site = Site(world=world)
    await site.commit()
    wish = {"kind": "event", "subject": "chat", "data": {"kind": "deployment", "version": "1.4.2"}}
    async with serving(site) as client:
        assert (await client.post("/api/v1/commands", json=wish, headers=bearer())).status == 202
        commands, _ = await site.store.waiting()
        world.commands.extend(commands)
        world.both(2)
        await site.commit()
        assert world.said(TransitionKind.EVENT_RECORDED)
        document = await (await client.get(f"/api/v1/routes{CHAT}?span=15m")).json()
        page = await (await client.get(f"/routes{CHAT}?span=15m", headers=BROWSER)).text()
    [marker] = [one for one in document["markers"] if one["kind"] == "deployment"]
    assert marker["label"] == "deployed 1.4.2"
    charts = page[page.index('id="charts-title"') : page.index('id="slos-title"')]
    assert charts.count('class="marker deployment"') == 3  # errors, P95, traffic
    assert "deployed 1.4.2" in charts
