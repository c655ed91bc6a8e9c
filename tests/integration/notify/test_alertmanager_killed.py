"""The whole agent as a process, killed beside a real Alertmanager that it tells."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from figwatch_agent.durations import format_instant
from figwatch_agent.model.command import Command, CommandKind
from figwatch_agent.model.external import OWN_LABEL
from figwatch_agent.store.writer import open_inbox
from support.agent_process import AgentProcess, Nursery, nursery
from support.agent_site import bearer, write_files
from support.model_values import NOON
from support.real_alertmanager import Alert, RealAlertmanager, alertmanager, hook, until

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module"), pytest.mark.needs("prometheus-alertmanager")]


@pytest_asyncio.fixture(name="born", scope="module", loop_scope="module")
async def _born(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Nursery]:
    async with nursery(tmp_path_factory.mktemp("nursery")) as born:
        yield born


def home(folder: Path, server: RealAlertmanager) -> Path:
    """The files of an agent that tells this Alertmanager, and says all that is open each second."""
    folder.mkdir()
    write_files(folder, 0, receivers=f'[{{name: am, alertmanager: {{url: "{server.url}", resend: 1s}}}}]')
    return folder


async def disk(agent: AgentProcess, status: str) -> None:
    """Somebody's alert opens an incident, or ends it: a page that needs no traffic."""
    alert: dict[str, Any] = {
        "status": status,
        "labels": {"alertname": "DiskFull", "severity": "critical"},
        "annotations": {"summary": "the disk is full"},
        "startsAt": format_instant(NOON),
        "endsAt": format_instant(NOON + 1),
        "fingerprint": "8ab91cd0e5f6",
    }

    async def taken() -> bool:
        assert agent.running, agent.log.read_text("utf-8")
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.post(
                    f"{agent.url}/api/v1/alertmanager", json={"version": "4", "alerts": [alert]}, headers=bearer()
                ) as answer,
            ):
                return answer.status == 200
        except (aiohttp.ClientError, aiohttp.InvalidURL):
            return False

    await until(taken, "the agent takes no alerts")


async def said_after(server: RealAlertmanager, instant: str) -> Alert:
    """The one alert that is open, once it was said after ``instant``."""
    found: list[Alert] = []

    async def said() -> bool:
        found[:] = await server.alerts()
        assert len(found) <= 1, "one incident is one alert"
        return bool(found and found[0]["updatedAt"] > instant)

    await until(said, "it is not said")
    return found[0]


async def test_a_killed_agent_goes_on_with_the_same_alert_and_ends_it(tmp_path: Path, born: Nursery) -> None:
    async with hook() as people, alertmanager(tmp_path / "server", hook=people.url) as server:
        folder = home(tmp_path / "agent", server)
        agent = await born.start(folder, "run")
        await disk(agent, "firing")
        first = await said_after(server, "")
        assert first["labels"]["alertname"] == "ExternalAlert"
        assert first["labels"][OWN_LABEL]
        for _ in range(2):
            await agent.stop(signal.SIGKILL)
            agent = await born.start(folder, "run")
            (last,) = await server.alerts()
            again = await said_after(server, last["updatedAt"])
            assert (again["fingerprint"], again["startsAt"]) == (first["fingerprint"], first["startsAt"])
        assert people.states == ["firing"], "people are told once of what is one"
        await disk(agent, "resolved")
        await until(lambda: people.states == ["firing", "resolved"], "nobody heard that it is over")
        assert await server.alerts() == []
        assert await agent.stop() == 0


@pytest.mark.parametrize("point", ["before POST /api/v2/alerts #0", "after POST /api/v2/alerts #0"])
async def test_an_agent_that_is_killed_while_it_tells_tells_it_once(tmp_path: Path, born: Nursery, point: str) -> None:
    async with hook() as people, alertmanager(tmp_path / "server", hook=people.url) as server:
        folder = home(tmp_path / "agent", server)
        agent = await born.start(folder, "run", kill=point)
        await disk(agent, "firing")
        await agent.end(30)
        assert agent.killed
        before = await server.alerts()
        assert len(before) == (1 if point.startswith("after") else 0)
        agent = await born.start(folder, "run")
        after = await said_after(server, before[0]["updatedAt"] if before else "")
        for alert in before:
            assert (after["fingerprint"], after["startsAt"]) == (alert["fingerprint"], alert["startsAt"])
        await disk(agent, "resolved")
        await until(lambda: people.states == ["firing", "resolved"], "nobody heard that it is over")
        assert await agent.stop() == 0


async def test_what_a_person_resolved_while_the_agent_was_dead_is_resolved(tmp_path: Path, born: Nursery) -> None:
    async with hook() as people, alertmanager(tmp_path / "server", hook=people.url) as server:
        folder = home(tmp_path / "agent", server)
        agent = await born.start(folder, "run")
        await disk(agent, "firing")
        first = await said_after(server, "")
        await agent.stop(signal.SIGKILL)
        with open_inbox(folder / "figwatch.db") as inbox:
            (incident,) = inbox.incidents()
            wish = CommandKind.RESOLVE
            inbox.put(Command(id="over", at=0, kind=wish, subject=incident.id, why="done", actor="a", origin="test"))
        agent = await born.start(folder, "run")
        await until(lambda: people.states == ["firing", "resolved"], "nobody heard that it is over")
        assert people.told[0][1] == people.told[1][1] == first["labels"]
        assert await server.alerts() == []
        assert await agent.stop() == 0


async def test_a_killed_alertmanager_is_told_again_by_the_agent_that_lives(tmp_path: Path, born: Nursery) -> None:
    async with alertmanager(tmp_path / "server") as server:
        agent = await born.start(home(tmp_path / "agent", server), "run")
        await disk(agent, "firing")
        first = await said_after(server, "")
        await server.kill()
        await server.start()
        again = await said_after(server, first["updatedAt"])
        assert (again["fingerprint"], again["startsAt"]) == (first["fingerprint"], first["startsAt"])
        assert await agent.stop() == 0
