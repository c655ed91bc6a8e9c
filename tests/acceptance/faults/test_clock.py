"""A wall clock that is set an hour forward or back changes no duration, pages nobody and hides nothing."""

import pytest

from figwatch_agent.durations import HOUR, MINUTE
from figwatch_agent.model.outcome import TransitionKind
from support.scene import Scene

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.slow]

WAYS = {"forward": HOUR, "back": -HOUR}


async def an_incident(scene: Scene) -> None:
    """From the page to its end, and it took as long as it took."""
    scene.gateway.service_bad = 0.5
    await scene.paged()
    scene.gateway.service_bad = 0.0
    await scene.over()
    incident = scene.incident()
    assert incident.mitigated_at is not None
    assert 0 <= incident.mitigated_at - incident.impact_start < MINUTE


@pytest.mark.parametrize("way", WAYS)
async def test_a_step_while_the_agent_runs_is_recorded_and_not_counted(scene: Scene, way: str) -> None:
    wall = scene.home.folder / "wall"
    await scene.begin(wall=wall)
    wall.write_text(str(WAYS[way]), "ascii")
    await scene.until(lambda: bool(scene.said(TransitionKind.CLOCK_STEPPED)), "the step to be recorded")
    await scene.scrapes(10)
    assert scene.attempts() == []
    (text,) = scene.said(TransitionKind.CLOCK_STEPPED)
    assert text.startswith(f"the wall clock was set {way} by")
    await an_incident(scene)


@pytest.mark.parametrize("way", WAYS)
async def test_a_step_in_the_middle_of_an_incident_does_not_stretch_it(scene: Scene, way: str) -> None:
    wall = scene.home.folder / "wall"
    scene.home.mode = "dry-run"
    await scene.begin(wall=wall)
    scene.gateway.service_bad = 0.5
    await scene.paged()
    wall.write_text(str(WAYS[way]), "ascii")
    await scene.scrapes(5)
    await an_incident(scene)
    assert len(scene.pager.people()) == 1


@pytest.mark.parametrize("way", WAYS)
async def test_a_step_over_a_restart_keeps_time_going_on(scene: Scene, way: str) -> None:
    wall = scene.home.folder / "wall"
    await scene.begin(wall=wall)
    before = scene.home.last_tick()
    await scene.end()
    wall.write_text(str(WAYS[way]), "ascii")
    await scene.begin(wall=wall)
    assert scene.home.last_tick() > before
    assert scene.said(TransitionKind.RESTARTED)
    await scene.scrapes(10)
    assert scene.attempts() == []
    await an_incident(scene)


@pytest.mark.parametrize("way", WAYS)
async def test_a_restart_with_a_step_in_an_incident_loses_neither_page_nor_resolve(scene: Scene, way: str) -> None:
    wall = scene.home.folder / "wall"
    scene.home.mode = "dry-run"
    await scene.begin(wall=wall)
    scene.gateway.service_bad = 0.5
    await scene.paged()
    await scene.end()
    wall.write_text(str(WAYS[way]), "ascii")
    await scene.begin(wall=wall)
    assert scene.incident().open
    scene.gateway.service_bad = 0.0
    await scene.over()
    assert [event["event_action"] for event in scene.events()][-1] == "resolve"
    assert len(scene.pager.people()) == 1
