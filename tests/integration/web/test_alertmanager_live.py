"""The real Alertmanager on the generated configuration tells the agent: each alert once, and none of them lost."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer

from figwatch_agent.model.external import alert_of
from figwatch_agent.model.incident import IncidentKind
from figwatch_agent.model.outcome import TransitionKind
from support.agent_process import AgentProcess, Home, Nursery, nursery
from support.agent_site import OPERATE, Site
from support.alertmanager_taking import Prometheus, generated, told_by_webhook
from support.fake_gateway import ROUTE, running_gateway
from support.folders import quick_folder
from support.pager import running_pager
from support.real_alertmanager import until
from support.real_prometheus import free_port

pytestmark = pytest.mark.needs("prometheus-alertmanager")
PATH = "/api/v1/alertmanager"
TOKEN = "operators-token-of-the-test"
DISK = {"severity": "critical", "service": "storage"}
OTHER = {"severity": "critical", "service": "other"}


@pytest.fixture(name="folder")
def _folder() -> Iterator[Path]:
    with quick_folder() as folder:
        yield folder


async def test_an_alert_posted_as_prometheus_does_is_taken_once_however_often_it_is_repeated(folder: Path) -> None:
    site = Site()
    async with TestServer(site.app()) as server:
        hook = str(server.make_url(PATH))
        async with generated(folder / "am", hook, OPERATE, repeat_interval="300ms") as prometheus:
            await prometheus.fires("DiskFull", **DISK)

            async def repeated() -> bool:
                return await told_by_webhook(prometheus.server) >= 3

            await until(repeated, "it was told once only")
            await prometheus.resolves("DiskFull", **DISK)

            async def over() -> bool:
                return len((await site.store.waiting())[0]) == 2

            await until(over, "its end was not told")
    commands, _ = await site.store.waiting()
    fired, ended = (alert_of(dict(command.data)) for command in commands)
    assert (fired.name, fired.severity.value, fired.summary) == ("DiskFull", "page", "DiskFull is told")
    assert fired.id == ended.id
    assert fired.firing
    assert not ended.firing


class Told:
    """An agent that lives several lives on one port, and an Alertmanager that tells it."""

    def __init__(self, home: Home, born: Nursery, prometheus: Prometheus) -> None:
        self.home = home
        self.born = born
        self.prometheus = prometheus
        self.agent: AgentProcess | None = None

    async def begin(self, kill: str | None = None) -> AgentProcess:
        """A life of the agent."""
        self.agent = await self.home.run(self.born, kill=kill)
        await self.home.ready(self.agent)
        return self.agent

    def opened(self) -> list[str]:
        """Subjects of the incidents that were opened, in order of the alphabet; one that was opened twice is twice."""
        return sorted(incident.route for incident in self.home.incidents())

    async def until_opened(self, *subjects: str) -> None:
        await until(lambda: self.opened() == sorted(subjects), f"incidents of {subjects}")

    async def until_over(self) -> None:
        def still() -> list[str]:
            return [each.route for each in self.home.incidents() if each.open]

        try:
            await until(lambda: not still(), "")
        except AssertionError:
            raise AssertionError(f"still open: {still()}") from None

    async def until_told(self, more: int, what: str = "notifications_total") -> None:
        """So many more notifications were sent."""
        before = await told_by_webhook(self.prometheus.server, what)

        async def told() -> bool:
            return await told_by_webhook(self.prometheus.server, what) >= before + more

        await until(told, f"{more} more of {what}")


@pytest.fixture(name="told")
async def _told(folder: Path) -> AsyncIterator[Told]:
    port = free_port()
    async with AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(running_gateway())
        pager = await stack.enter_async_context(running_pager())
        home = Home(folder=folder / "home", gateway=gateway, pager=pager, port=port, mode="auto", token=TOKEN)
        home.write()
        born = await stack.enter_async_context(nursery(folder))
        hook = f"http://127.0.0.1:{port}{PATH}"
        options = ("--cluster.listen-address=", "--data.maintenance-interval=200ms")
        prometheus = await stack.enter_async_context(
            generated(folder / "am", hook, TOKEN, options, repeat_interval="600ms")
        )
        yield Told(home, born, prometheus)


@pytest.mark.slow
async def test_whoever_is_killed_no_alert_is_lost_and_none_is_taken_twice(told: Told) -> None:
    agent = await told.begin()
    prometheus = told.prometheus
    # A second alert of the same group is an update of what was told: the first of them is known by then.
    await prometheus.fires("DiskFull", **DISK)
    await told.until_opened("DiskFull")
    await prometheus.fires("DiskSlow", **DISK)
    await told.until_opened("DiskFull", "DiskSlow")
    await told.until_told(2)
    # The agent is gone when a third fires: Alertmanager tries until it is back, and repeats what is known.
    agent._send(9)
    await agent.end()
    await prometheus.fires("DiskGone", **OTHER)
    await told.until_told(1, "notification_requests_failed_total")
    await told.begin()
    await told.until_opened("DiskFull", "DiskGone", "DiskSlow")
    # Alertmanager is gone: Prometheus says again what fires, and nothing of it is new.
    await prometheus.server.kill()
    await prometheus.server.start()
    alerts = {"DiskFull": DISK, "DiskSlow": DISK, "DiskGone": OTHER}
    for name, labels in alerts.items():
        await prometheus.fires(name, **labels)
    await told.until_told(3)
    assert len(told.opened()) == 3
    for name, labels in alerts.items():
        await prometheus.resolves(name, **labels)
    await told.until_over()
    assert told.opened() == ["DiskFull", "DiskGone", "DiskSlow"]
    said = [each.kind for each in told.home.transitions()]
    assert said.count(TransitionKind.INCIDENT_OPENED) == said.count(TransitionKind.INCIDENT_RESOLVED) == 3
    assert {each.kind for each in told.home.incidents()} == {IncidentKind.EXTERNAL}


@pytest.mark.slow
async def test_an_agent_killed_before_it_could_answer_is_told_again_and_takes_it_once(told: Told) -> None:
    opened: list[str] = []
    for name, point in (("Unwritten", "before commit of command #0"), ("Unanswered", "after commit of command #0")):
        agent = await told.begin(kill=point)
        await told.prometheus.fires(name, **DISK)
        await agent.end()
        assert agent.killed
        agent = await told.begin()
        await told.until_opened(*opened, name)
        opened.append(name)
        await told.until_told(1)
        await told.prometheus.resolves(name, **DISK)
        await told.until_over()
        await agent.stop()
    said = [each.kind for each in told.home.transitions()]
    assert said.count(TransitionKind.INCIDENT_OPENED) == said.count(TransitionKind.INCIDENT_RESOLVED) == 2


@pytest.mark.slow
async def test_a_critical_alert_about_a_route_never_sends_it_back_by_itself(told: Told) -> None:
    await told.begin()
    await told.prometheus.fires("ErrorBudgetBurnFast", severity="page", route=ROUTE, slo="chat-availability")
    await told.until_opened(ROUTE)
    await told.until_told(2)
    await told.prometheus.resolves("ErrorBudgetBurnFast", severity="page", route=ROUTE, slo="chat-availability")
    await told.until_over()
    (incident,) = told.home.incidents()
    assert (incident.kind, incident.decision) == (IncidentKind.ROUTE, None)
    assert (told.home.rollbacks(), told.home.gateway.calls) == ((), [])
