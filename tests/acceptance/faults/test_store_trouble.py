"""While the state cannot be written, pages go out from memory, nothing is sent back, and nobody is told twice later."""

import aiohttp
import pytest

from support.scene import Scene, hold_write_lock

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def is_well(scene: Scene) -> bool:
    assert scene.agent is not None
    async with aiohttp.ClientSession() as session, session.get(f"{scene.agent.url}/readyz") as answer:
        return answer.status == 200


async def paged_from_memory(scene: Scene) -> None:
    """A person is told though nothing can be written, and nothing else is done."""
    await scene.paged(within=30)
    assert scene.untouched(), "no rollback without a journal"
    assert not await is_well(scene)


async def ends_well(scene: Scene) -> None:
    """The incident is closed for everybody who was told, and nobody was woken twice."""
    scene.gateway.service_bad = 0.0
    await scene.over(within=40)
    assert await is_well(scene)
    (alert,) = scene.pager.people()
    assert alert["state"] == "resolved"
    actions = [event["event_action"] for event in scene.events()]
    assert "trigger" not in actions[actions.index("resolve") :]
    triggers = [event["payload"]["summary"] for event in scene.events() if event["event_action"] == "trigger"]
    assert len(set(triggers)) == len(triggers), "the same page was sent again"


async def test_a_state_that_another_process_locks_loses_no_page(scene: Scene) -> None:
    await scene.begin()
    with hold_write_lock(scene.home.state):
        scene.gateway.service_bad = 0.5
        await paged_from_memory(scene)
    await ends_well(scene)


async def test_a_full_disk_loses_no_page(scene: Scene) -> None:
    full = scene.home.folder / "full"
    await scene.begin(full=full)
    full.touch()
    scene.gateway.service_bad = 0.5
    await paged_from_memory(scene)
    assert scene.home.incidents() == ()
    full.unlink()
    await ends_well(scene)


async def test_a_full_disk_in_an_incident_loses_no_resolve(scene: Scene) -> None:
    full = scene.home.folder / "full"
    scene.home.mode = "dry-run"
    await scene.begin(full=full)
    scene.gateway.service_bad = 0.5
    await scene.paged()
    await scene.until(scene.home.quiet, "the end of the delivery")
    full.touch()
    scene.gateway.service_bad = 0.0
    await scene.until(lambda: scene.pager.people()[0]["state"] == "resolved", "the resolve from memory")
    full.unlink()
    await ends_well(scene)


async def test_a_full_disk_before_a_restart_loses_no_page(scene: Scene) -> None:
    full = scene.home.folder / "full"
    agent = await scene.begin(full=full)
    full.touch()
    scene.gateway.service_bad = 0.5
    await paged_from_memory(scene)
    await agent.stop()
    full.unlink()
    await scene.begin()
    await scene.until(lambda: bool(scene.incidents()), "the incident, seen anew")
    scene.gateway.service_bad = 0.0
    await scene.over()
