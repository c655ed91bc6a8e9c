"""Links in pages lead somewhere: the runbook of an alert, and the incident itself."""

from __future__ import annotations

import pytest
from aiohttp import ClientResponse

from figwatch_agent.files.runbooks import read_runbooks
from figwatch_agent.model.names import AlertName
from support.agent_site import CHAT, Client, Site, failing_world, serving


async def text(client: Client, path: str) -> str:
    """The plain text of a path that answers 200."""
    answer = await client.get(path)
    assert answer.status == 200
    assert plain(answer)
    return await answer.text()


def plain(answer: ClientResponse) -> bool:
    """Text that no browser runs."""
    return (
        answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        and answer.headers["X-Content-Type-Options"] == "nosniff"
    )


@pytest.fixture
def site() -> Site:
    """An agent with every runbook and an open incident."""
    return Site(world=failing_world(), runbooks=read_runbooks("/nowhere/figwatch.yaml"))


async def test_every_alert_has_its_runbook(site: Site) -> None:
    async with serving(site) as client:
        for name in AlertName:
            assert "## Mitigation" in await text(client, f"/runbooks/{name.value}")


@pytest.mark.parametrize("path", ["/runbooks", "/runbooks/"])
async def test_the_list_names_every_runbook(site: Site, path: str) -> None:
    async with serving(site) as client:
        assert (await text(client, path)).splitlines() == sorted(f"/runbooks/{name.value}" for name in AlertName)


@pytest.mark.parametrize("path", ["/runbooks/Nonsense", "/runbooks/..%2f..%2fetc%2fpasswd", "/incidents/inc-nonsense"])
async def test_what_is_not_there_is_said_to_be_missing(site: Site, path: str) -> None:
    await site.commit()
    async with serving(site) as client:
        answer = await client.get(path)
        assert answer.status == 404
        assert "there is no" in (await answer.json())["errors"][0]


async def test_an_incident_is_told_in_text_with_the_commands_to_act(site: Site) -> None:
    await site.commit()
    incident = site.world.incident()
    async with serving(site) as client:
        page = await text(client, f"/incidents/{incident.id}")
    assert page.startswith(f"{CHAT}: OPEN\n")
    assert f"figwatch ack {incident.id}" in page
    assert "trigger to oncall: pending" in page


async def test_there_is_no_incident_before_the_first_tick(site: Site) -> None:
    async with serving(site) as client:
        assert (await client.get("/incidents/inc-1")).status == 503
