"""The agent as an operator meets it: it stops when told, holds its state alone, and says what is in its way."""

import asyncio
import json
import signal
import socket
import time

import pytest

from figwatch_agent.model.effect import RollbackState
from support.agent_process import Home, Nursery
from support.scene import Scene

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_it_within_seconds_and_frees_the_state(scene: Scene, number: signal.Signals) -> None:
    agent = await scene.begin()
    asked = time.monotonic()
    assert await agent.stop(number) == 0
    assert time.monotonic() - asked < 5
    assert "Traceback" not in agent.log.read_text("utf-8")
    await scene.begin()


async def test_a_signal_stops_it_while_a_receiver_hangs(scene: Scene) -> None:
    agent = await scene.begin()
    scene.pager.misbehave("pagerduty", "hang", times=10)
    scene.gateway.service_bad = 0.5
    await scene.until(lambda: bool(scene.attempts()), "an attempt")
    asked = time.monotonic()
    assert await agent.stop() == 0
    assert time.monotonic() - asked < 5


async def test_a_signal_in_the_middle_of_a_step_lets_it_finish_and_the_next_life_goes_on(scene: Scene) -> None:
    arrived = asyncio.Event()

    async def slowly(path: str) -> None:
        arrived.set()
        await asyncio.sleep(0.7)

    scene.gateway.on_change = slowly
    scene.home.steps = ("flush", "redirect")  # the first must not be done twice
    agent = await scene.begin()
    scene.gateway.service_bad = 0.5
    async with asyncio.timeout(20):
        await arrived.wait()
    asked = time.monotonic()
    assert await agent.stop() == 0
    assert time.monotonic() - asked < 5
    assert scene.gateway.done("/flush") == 1
    await scene.begin()
    await scene.over()
    (record,) = scene.home.rollbacks()
    assert record.state is RollbackState.DONE
    assert (scene.gateway.done("/flush"), scene.gateway.done("/routes")) == (1, 1)


async def test_a_second_agent_on_the_same_state_is_refused_and_told_which_process_has_it(scene: Scene) -> None:
    first = await scene.begin()
    second = await scene.home.run(scene.nursery)
    assert await second.end() == 1
    said = second.log.read_text("utf-8")
    assert f"process {first.pid}" in said
    assert "Traceback" not in said
    await scene.scrapes(3)
    assert first.running


async def test_a_port_that_is_taken_is_named_and_the_state_is_free_again(home: Home, born: Nursery) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        home.port = taken.getsockname()[1]
        home.write()
        agent = await home.run(born)
        assert await agent.end() == 1
    said = agent.log.read_text("utf-8")
    assert f"cannot listen on 127.0.0.1:{home.port}" in said
    assert "web.listen" in said
    assert "Traceback" not in said
    again = await home.run(born)
    await home.ready(again)
    assert await again.stop() == 0


async def test_a_recorded_incident_with_a_kill_and_a_stop_replays_byte_for_byte(scene: Scene) -> None:
    record = scene.home.folder / "recorded"
    first = await scene.begin("--record", str(record))
    scene.gateway.service_bad = 0.5
    await scene.until(lambda: any(each.state.final for each in scene.home.rollbacks()), "the rollback's end")
    assert await first.stop(signal.SIGKILL) == -signal.SIGKILL
    await scene.begin("--record", str(record))
    await scene.over()
    await scene.end()
    await scene.begin("--record", str(record))
    await scene.end()
    assert len(list(record.iterdir())) == 3
    replay = await scene.nursery.start(
        scene.home.folder,
        "replay",
        "--recorded",
        str(record),
        "--output",
        "json",
        env={"ROUTING_KEY": "0" * 32, "SLACK_URL": scene.pager.slack, "HOOK_SECRET": "s3cret"},
    )
    code = await replay.end(within=60)
    said = replay.log.read_text("utf-8")
    assert code == 0, said
    document = json.loads(said[said.index("{") :])
    assert document["same"] is True
    assert document["ticks"] > 20
