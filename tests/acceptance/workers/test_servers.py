"""Real servers, real load, workers killed under it: any worker's page says what the client counted."""

import asyncio
import os
import signal
from pathlib import Path
from random import Random

import pytest

from support.worker_servers import COMMANDS, WORKERS, Server, serving
from support.workers import files

QUICK = ("gunicorn --preload", "uvicorn")
IN_FLIGHT = 30
"""More requests than one worker can have begun when it is killed, at the rate below."""


async def kill_now_and_then(server: Server, kills: int, pause: float) -> None:
    """Kill a worker, wait until its successor answers, go on."""
    chance = Random(7)
    while kills:
        try:
            os.kill(chance.choice(sorted(await server.workers())), signal.SIGKILL)
        except ProcessLookupError:  # the last one killed, buried since it was looked at
            continue
        kills -= 1
        await asyncio.sleep(pause)


async def killed_under_load(name: str, folder: Path, *, kills: int, rate: float) -> None:
    async with serving(COMMANDS[name], folder) as server:
        await server.workers()
        murder = asyncio.create_task(kill_now_and_then(server, kills, 0.2))
        while not murder.done():
            await server.load(rate, 0.2)
        await murder
        answered = server.answered.total()
        said = await server.settled(answered - kills)
        assert len(set(said)) == 1, "every worker says the same"
        # Killed between sending an answer and counting it, or the other way round, a worker errs by what it had begun.
        assert answered - kills <= said[0] <= answered + server.failed
        assert server.failed <= kills * IN_FLIGHT
        assert answered > 100
        assert len(files(folder)) <= WORKERS + 2, "one of each worker, of a preloading parent, of one just killed"


@pytest.mark.parametrize("name", QUICK)
async def test_workers_killed_under_load_lose_nothing_that_was_answered(name: str, folder: Path) -> None:
    await killed_under_load(name, folder, kills=4, rate=100)


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
async def test_many_workers_killed_under_load_lose_nothing_that_was_answered(name: str, folder: Path) -> None:
    await killed_under_load(name, folder, kills=20, rate=100)


@pytest.mark.parametrize("name", ["gunicorn --max-requests"])
async def test_workers_that_end_in_good_order_are_counted_to_the_last_request(name: str, folder: Path) -> None:
    async with serving(COMMANDS[name], folder) as server:
        await server.workers()
        await server.load(100, 1.5)
        answered = server.answered.total()
        assert len(server.answered) > WORKERS, "workers were replaced"
        assert server.failed == 0
        assert set(await server.settled(answered)) == {answered}


async def test_a_whole_service_that_is_started_again_goes_on_counting(folder: Path) -> None:
    answered = 0
    for _ in range(2):
        async with serving(COMMANDS["gunicorn"], folder) as server:
            await server.workers()
            answered += server.answered.total()
            assert set(await server.settled(answered)) == {answered}
