"""Nothing is sent back blindly: legacy must be fit, the gateway as it was when the incident began, the switch open."""

import pytest
from aiohttp import web

from figwatch_agent.model.effect import RollbackState
from support.scene import Scene

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def rolled_back_to(scene: Scene, state: RollbackState) -> None:
    """Wait until the rollback has come to its end, and it is this one."""
    await scene.until(lambda: any(record.state.final for record in scene.home.rollbacks()), "the rollback's end")
    (record,) = scene.home.rollbacks()
    assert record.state is state


async def test_unfit_legacy_gets_no_traffic(scene: Scene) -> None:
    scene.gateway.legacy_status = 503
    await scene.begin()
    scene.gateway.service_bad = 0.5
    await scene.paged()
    await scene.decided("legacy_unfit")
    await scene.scrapes(10)
    assert scene.untouched()
    assert scene.home.rollbacks() == ()
    assert "no rollback" in str(scene.pager.people()[0]["summary"])


async def test_legacy_that_fails_alike_gets_no_traffic(scene: Scene) -> None:
    await scene.begin()
    scene.gateway.service_bad = scene.gateway.legacy_bad = 0.5
    await scene.paged()
    await scene.decided("shared_cause")
    await scene.scrapes(10)
    assert scene.untouched()
    assert scene.home.rollbacks() == ()


@pytest.mark.slow
async def test_a_gateway_that_a_person_changed_before_the_decision_is_left_alone(scene: Scene) -> None:
    scene.gateway.legacy_status = 503
    await scene.begin()
    scene.gateway.service_bad = 0.5
    await scene.decided("legacy_unfit")
    scene.gateway.person_changes_route()
    read = scene.gateway.reads
    await scene.until(lambda: scene.gateway.reads >= read + 2, "a reading of the changed gateway")
    scene.gateway.legacy_status = 200
    await scene.decided("gateway_changed")
    await scene.scrapes(10)
    assert scene.untouched()
    assert scene.home.rollbacks() == ()


async def test_a_gateway_that_a_person_changed_after_the_decision_is_left_alone(scene: Scene) -> None:
    await scene.begin()
    read = scene.gateway.reads
    await scene.until(lambda: scene.gateway.reads > read, "a reading of the gateway")
    # The next reading is two seconds away, and the decision half a second: it is made on the old one.
    await scene.scrapes(2)
    scene.gateway.person_changes_route()
    scene.gateway.service_bad = 0.5
    await rolled_back_to(scene, RollbackState.ABANDONED)
    assert scene.untouched()
    assert scene.incident().open
    await scene.until(lambda: any("called off" in str(event) for event in scene.events()), "word of it")


@pytest.mark.slow
async def test_a_gateway_that_cannot_be_read_is_left_alone(scene: Scene) -> None:
    async def refuse(_: web.Request) -> web.StreamResponse:
        return web.Response(status=500)

    scene.gateway.reading = refuse
    await scene.begin()
    scene.gateway.service_bad = 0.5
    await scene.paged()
    await scene.decided("gateway_unknown")
    await scene.scrapes(10)
    assert scene.untouched()


@pytest.mark.slow
async def test_the_kill_switch_stops_rollbacks_before_they_are_decided(scene: Scene) -> None:
    scene.home.write()
    scene.home.kill_switch.touch()
    await scene.begin()
    scene.gateway.service_bad = 0.5
    await scene.paged()
    await scene.decided("kill_switch")
    await scene.scrapes(10)
    assert scene.untouched()
    assert scene.home.rollbacks() == ()


async def test_the_kill_switch_stops_a_rollback_between_two_steps(scene: Scene) -> None:
    async def thrown(path: str) -> web.StreamResponse | None:
        if path == "/routes":
            scene.home.kill_switch.touch()
        return None

    scene.gateway.on_change = thrown
    await scene.begin()
    scene.gateway.service_bad = 0.5
    await rolled_back_to(scene, RollbackState.NEEDS_HUMAN)
    assert (scene.gateway.done("/routes"), scene.gateway.done("/flush")) == (1, 0)
    await scene.until(lambda: any("a person is needed" in str(event) for event in scene.events()), "word of it")


@pytest.mark.slow
async def test_a_step_that_the_gateway_refuses_is_told_and_not_tried_again(scene: Scene) -> None:
    async def refuse(path: str) -> web.StreamResponse | None:
        scene.gateway.calls.append((path, ""))
        return web.Response(status=403)

    scene.gateway.on_change = refuse
    await scene.begin()
    scene.gateway.service_bad = 0.5
    await rolled_back_to(scene, RollbackState.COMPENSATED)
    await scene.scrapes(10)
    assert scene.gateway.calls == [("/routes", "")]
    await scene.until(lambda: any("was undone" in str(event) for event in scene.events()), "word of it")


async def test_a_rollback_that_does_not_help_says_so(scene: Scene) -> None:
    async def only_say_so(path: str) -> web.StreamResponse | None:
        scene.gateway.calls.append((path, ""))
        return web.json_response({"ok": True})

    scene.gateway.on_change = only_say_so
    scene.home.verify_within = "2s"
    await scene.begin()
    scene.gateway.service_bad = 0.5
    await rolled_back_to(scene, RollbackState.DONE)
    await scene.until(lambda: any("did not help" in str(event) for event in scene.events()), "word of it")
    assert scene.incident().open
    assert len(scene.home.rollbacks()) == 1
