"""Pages at the real Alertmanager: open for as long as they are said, over when they are, told to people once."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Final

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from figwatch_agent.clock import AnchoredClock
from figwatch_agent.durations import SECOND
from figwatch_agent.model.effect import DeliveryState
from figwatch_agent.model.external import OWN_LABEL
from figwatch_agent.model.journal import DeliveryResultKind
from figwatch_agent.model.page import PageKind
from figwatch_agent.model.secret import Secret
from figwatch_agent.model.settings import Alertmanager, ClientTls, Tls
from figwatch_agent.notify.alertmanager_member import Member
from figwatch_agent.notify.alertmanager_notifier import AlertmanagerNotifier
from figwatch_agent.notify.build import open_session
from support.agent_site import OPERATE, Site
from support.alertmanager_sender import QUICK, Sender, sender
from support.certificates import certificate
from support.message_incidents import ID
from support.messages import stories
from support.notify import reading
from support.real_alertmanager import Alert, Hook, RealAlertmanager, alertmanager, hook, until
from support.real_prometheus import free_port

pytestmark = pytest.mark.needs("prometheus-alertmanager")

USER: Final = ("figwatch", "s3cret", "$2b$04$fGIdfKOFz4/Sb.LnHhsD8uhXIpsbECR6itJi2DcOQ5I/0pbOX1teW")
"""A name, a password, and that password as bcrypt."""


@pytest.fixture(name="people")
async def _people() -> AsyncIterator[Hook]:
    async with hook() as people:
        yield people


async def opened(agent: Sender, server: RealAlertmanager) -> Alert:
    """A page is told and has come."""
    await agent.tell(PageKind.TRIGGER)
    await until(server.alerts, "the page did not come")
    (alert,) = await server.alerts()
    return alert


async def accepted(agent: Sender) -> None:
    """What was told last has been taken."""

    async def taken() -> bool:
        return (await agent.newest()).state is DeliveryState.ACCEPTED

    await until(taken, "nobody took it")


def identity(alert: Alert) -> tuple[str, str]:
    return alert["fingerprint"], alert["startsAt"]


async def test_a_page_comes_stays_by_being_said_again_and_ends_when_it_is_resolved(
    tmp_path: Path, people: Hook
) -> None:
    async with (
        alertmanager(tmp_path, hook=people.url) as server,
        sender(Alertmanager(urls=(server.url,), resend=QUICK)) as agent,
    ):
        first = await opened(agent, server)
        assert first["labels"][OWN_LABEL] == ID
        assert first["annotations"]["summary"].startswith("/api/v1/chat: 48% of requests fail")

        async def outlived() -> bool:
            """Longer than what was said first was good for."""
            (alert,) = await server.alerts()
            assert identity(alert) == identity(first)
            return bool(alert["updatedAt"] > first["endsAt"])

        await until(outlived, "it is not said again")
        assert people.states == ["firing"]
        await agent.tell(PageKind.RESOLVE)
        await until(lambda: people.states == ["firing", "resolved"], "nobody heard that it is over")
        assert await server.alerts() == []


async def test_when_the_agent_is_gone_for_good_the_alert_ends_by_itself(tmp_path: Path, people: Hook) -> None:
    async with alertmanager(tmp_path, hook=people.url) as server:
        async with sender(Alertmanager(urls=(server.url,), resend=QUICK)) as agent:
            await opened(agent, server)

        async def nothing() -> bool:
            return await server.alerts() == []

        await until(nothing, "it outlived its end")
        await until(lambda: people.states == ["firing", "resolved"], "nobody heard")


async def test_what_figwatch_sent_does_not_come_back_as_an_incident(tmp_path: Path) -> None:
    site = Site()
    async with AsyncExitStack() as stack:
        web = TestServer(site.app())
        await web.start_server()
        stack.push_async_callback(web.close)
        target = str(web.make_url("/api/v1/alertmanager"))
        server = await stack.enter_async_context(alertmanager(tmp_path, hook=target, token=OPERATE))
        agent = await stack.enter_async_context(sender(Alertmanager(urls=(server.url,), resend=QUICK)))
        await opened(agent, server)

        async def told(times: int) -> bool:
            """Alertmanager has given so many notifications to the agent, and all of them were taken."""
            async with aiohttp.ClientSession() as session, session.get(f"{server.url}/metrics") as answer:
                lines = (await answer.text()).splitlines()
            assert 'alertmanager_notifications_failed_total{integration="webhook"} 0' in lines
            return f'alertmanager_notifications_total{{integration="webhook"}} {times}' in lines

        await until(lambda: told(1), "Alertmanager told nobody")
        assert await site.store.waiting() == ((), ())
        await agent.tell(PageKind.RESOLVE)
        await until(lambda: told(2), "Alertmanager told nobody of the end")
        assert await site.store.waiting() == ((), ())
        # An alert of somebody else takes the same way and comes in.
        foreign = {"labels": {"alertname": "DiskFull"}, "annotations": {}}
        session = await stack.enter_async_context(aiohttp.ClientSession())
        async with session.post(f"{server.url}/api/v2/alerts", json=[foreign]) as answer:
            assert answer.status == 200

        async def came() -> bool:
            return bool((await site.store.waiting())[0])

        await until(came, "a foreign alert did not come in")
        assert {command.subject for command in (await site.store.waiting())[0]} == {"DiskFull"}


async def test_a_name_and_a_password_open_and_a_wrong_one_is_told_and_tried_on(tmp_path: Path) -> None:
    async with alertmanager(tmp_path, user=USER) as server:
        settings = Alertmanager(urls=(server.url,), resend=QUICK, user=USER[0], password=Secret(env="P"))
        async with sender(settings, secret="wrong") as agent:
            await agent.tell(PageKind.TRIGGER)

            async def told() -> bool:
                return (await agent.newest()).reason == "unauthorized"

            await until(told, "a wrong password is not told")
            assert (await agent.newest()).state in (DeliveryState.PENDING, DeliveryState.SENDING)
        assert await server.alerts() == []
        async with sender(settings, secret=USER[1]) as agent:
            await opened(agent, server)


async def test_what_it_refuses_is_said_in_its_own_words(tmp_path: Path) -> None:
    async with alertmanager(tmp_path) as server, open_session() as session:
        clock = AnchoredClock()
        settings = Alertmanager(urls=(server.url,))
        member = Member("1", server.url, settings, session, reading(""))
        refused = await member.send(lambda: [{"labels": {"0wrong": "x"}, "annotations": {}}], clock)
        assert (refused.kind, refused.reason) == (DeliveryResultKind.REFUSED, "rejected")
        assert "0wrong" in refused.detail
        lost = AlertmanagerNotifier(Alertmanager(urls=(f"{server.url}/prefix",)), session, reading(""), clock)
        result = await lost.deliver(stories()["page"].delivery)
        assert (result.kind, result.reason) == (DeliveryResultKind.REFUSED, "odd_answer")
        for story in stories().values():
            taken = await AlertmanagerNotifier(settings, session, reading(""), clock).deliver(story.delivery)
            assert taken.kind is DeliveryResultKind.ACCEPTED, story.name


@pytest.mark.slow
async def test_an_alertmanager_that_was_killed_has_it_again_within_one_resend(tmp_path: Path, people: Hook) -> None:
    async with (
        alertmanager(tmp_path, hook=people.url) as server,
        sender(Alertmanager(urls=(server.url,), resend=QUICK)) as agent,
    ):
        first = await opened(agent, server)
        await server.kill()
        await server.start()
        begun = agent.clock.now()
        await until(server.alerts, "it was not told again")
        took = agent.clock.now() - begun
        (alert,) = await server.alerts()
        assert identity(alert) == identity(first)
        assert took < QUICK + 2 * SECOND, "what is more than a resend is left to a busy machine"
        await agent.tell(PageKind.RESOLVE)
        await until(lambda: people.states[-1:] == ["resolved"], "nobody heard that it is over")


@pytest.mark.slow
async def test_an_end_that_came_while_it_was_dead_reaches_people(tmp_path: Path, people: Hook) -> None:
    # It ends in order, so that it knows after its restart whom it has told: what is killed tells people once more.
    async with (
        alertmanager(tmp_path, hook=people.url) as server,
        sender(Alertmanager(urls=(server.url,), resend=QUICK)) as agent,
    ):
        await opened(agent, server)
        await until(lambda: people.states == ["firing"], "nobody was told")
        await server.stop()
        await agent.tell(PageKind.RESOLVE)
        await server.start()
        await accepted(agent)
        await until(lambda: people.states == ["firing", "resolved"], "nobody heard that it is over")
        assert await server.alerts() == []


@pytest.mark.needs("openssl")
async def test_both_show_certificates_and_one_that_is_renewed_is_taken_without_a_restart(tmp_path: Path) -> None:
    its, known, unknown = (certificate(tmp_path, name) for name in ("server", "agent", "somebody-else"))
    ours = ClientTls(ca=its.certificate, certificate=str(tmp_path / "own.pem"), key=str(tmp_path / "own.key"))

    def show(other: Tls) -> None:
        shutil.copyfile(other.certificate, tmp_path / "own.pem")
        shutil.copyfile(other.key, tmp_path / "own.key")

    show(unknown)
    async with alertmanager(tmp_path / "server", certificates=(its, known)) as server, open_session() as session:
        assert server.url.startswith("https://")
        settings = Alertmanager(urls=(server.url,), tls=ours)
        member = Member("1", server.url, settings, session, reading(""))
        stranger = Member("1", server.url, replace(settings, tls=None), session, reading(""))
        alerts = [{"labels": {"alertname": "Renewed"}}]
        for refused in (stranger, member):
            result = await refused.send(lambda: alerts, AnchoredClock())
            assert result.kind is not DeliveryResultKind.ACCEPTED, result
        assert await server.alerts() == []
        show(known)
        result = await member.send(lambda: alerts, AnchoredClock())
        assert result.kind is DeliveryResultKind.ACCEPTED, result
        assert [each["labels"] for each in await server.alerts()] == [{"alertname": "Renewed"}]


@pytest.mark.slow
async def test_both_of_a_pair_have_it_and_people_are_told_once(tmp_path: Path, people: Hook) -> None:
    gossip = [free_port() for _ in range(2)]
    patience = 2.0  # seconds that the second of a pair waits for the first to tell
    servers: list[RealAlertmanager] = []
    async with AsyncExitStack() as stack:
        for place, port in enumerate(gossip):
            options = [
                f"--cluster.listen-address=127.0.0.1:{port}",
                f"--cluster.peer=127.0.0.1:{gossip[1 - place]}",
                f"--cluster.peer-timeout={patience:.0f}s",
                "--cluster.gossip-interval=50ms",
                "--cluster.settle-timeout=5s",
                "--cluster.reconnect-interval=200ms",
            ]
            folder = tmp_path / str(place)
            servers.append(await stack.enter_async_context(alertmanager(folder, hook=people.url, options=options)))
        for server in servers:
            await until(server.settled, "the pair did not find each other")
        agent = await stack.enter_async_context(
            sender(Alertmanager(urls=tuple(server.url for server in servers), resend=QUICK))
        )
        first = await opened(agent, servers[0])
        await until(servers[1].alerts, "the second of the pair was not told")
        (second,) = await servers[1].alerts()
        assert identity(first) == identity(second)
        await until(lambda: people.told, "nobody was told")
        await asyncio.sleep(2 * patience)  # the second would have told by now
        assert people.states == ["firing"]
        # One of them is killed, and the page goes on being told to the other.
        await servers[0].kill()
        await agent.tell(PageKind.RESOLVE)
        await until(lambda: people.states == ["firing", "resolved"], "nobody heard that it is over")
        assert await servers[1].alerts() == []
