"""Real requests to a pager that behaves, and to one that does not."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from random import Random

import aiohttp
import aiohttp.web
import pytest
from yarl import URL

from figwatch_agent.clock import ManualClock
from figwatch_agent.durations import DAY, SECOND
from figwatch_agent.errors import SecretUnreadable
from figwatch_agent.model.effect import DeliveryState
from figwatch_agent.model.journal import Delivery, DeliveryResult, DeliveryResultKind
from figwatch_agent.model.outcome import Outcome
from figwatch_agent.model.page import PageKind
from figwatch_agent.model.secret import Secret
from figwatch_agent.model.settings import Heartbeat as HeartbeatSettings
from figwatch_agent.model.settings import PagerDuty, Receiver, Slack, Webhook
from figwatch_agent.notify import post
from figwatch_agent.notify.build import notifier_for, open_session
from figwatch_agent.notify.heartbeat import Heartbeat
from figwatch_agent.notify.worker import Worker
from figwatch_agent.store.sqlite import SqliteStore
from support.model_values import NOON, a_row
from support.notify import Asleep, ManualWait, reading, receiver
from support.pager import ROUTING_KEY, RunningPager, running_pager
from support.scrape_targets import served

PLANTED = "planted-7f3a9c-secret"
PATHS = ("pagerduty", "slack", "webhook")


@pytest.fixture(name="pager")
async def _pager() -> AsyncIterator[RunningPager]:
    async with running_pager() as pager:
        yield pager


@pytest.fixture(name="session")
async def _session() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_session() as session:
        yield session


def speaking_to(pager: RunningPager, path: str) -> tuple[Receiver, str]:
    """A receiver of this kind, and the value of its secret."""
    kinds: dict[str, tuple[PagerDuty | Slack | Webhook, str]] = {
        "pagerduty": (PagerDuty(routing_key=Secret(env="KEY"), url=pager.pagerduty), ROUTING_KEY),
        "slack": (Slack(webhook_url=Secret(env="HOOK")), pager.slack),
        "webhook": (Webhook(url=pager.webhook, secret=Secret(env="SIGNING")), PLANTED),
    }
    kind, secret = kinds[path]
    return receiver(kind=kind), secret


def delivery(kind: PageKind = PageKind.TRIGGER) -> Delivery:
    return Delivery(
        row=a_row(kind=kind), state=DeliveryState.SENDING, attempts=1, created_at=NOON, next_at=0, ambiguous=False
    )


async def attempt(
    pager: RunningPager, session: aiohttp.ClientSession, path: str, kind: PageKind = PageKind.TRIGGER
) -> DeliveryResult:
    to, secret = speaking_to(pager, path)
    return await notifier_for(to, session, reading(secret), ManualClock(NOON)).deliver(delivery(kind))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("kind", PageKind)
async def test_every_kind_of_page_is_accepted(
    pager: RunningPager, session: aiohttp.ClientSession, path: str, kind: PageKind
) -> None:
    result = await attempt(pager, session, path, kind)
    assert result.kind is DeliveryResultKind.ACCEPTED
    assert [one.accepted for one in pager.received(path)] == [True]


async def test_a_page_its_update_and_its_resolve_are_one_alert(
    pager: RunningPager, session: aiohttp.ClientSession
) -> None:
    for kind in (PageKind.TRIGGER, PageKind.TRIGGER, PageKind.UPDATE, PageKind.RESOLVE):
        await attempt(pager, session, "pagerduty", kind)
    (alert,) = pager.people()
    assert (alert["key"], alert["state"], alert["severity"]) == ("incident-1", "resolved", "critical")
    assert alert["notes"] == ["Update: /api/v1/chat fails: 30 of 60 requests in the last minute"]


async def test_a_webhook_can_be_verified_and_deduplicated(pager: RunningPager, session: aiohttp.ClientSession) -> None:
    await attempt(pager, session, "webhook")
    await attempt(pager, session, "webhook")
    first, second = pager.received("webhook")
    assert first.headers["X-Figwatch-Id"] == second.headers["X-Figwatch-Id"] == "incident-1/1/oncall"
    assert first.headers["X-Figwatch-Timestamp"] == str(NOON // SECOND)
    signed = f"{NOON // SECOND}.incident-1/1/oncall.{first.body}".encode()
    expected = "v1=" + hmac.new(PLANTED.encode(), signed, hashlib.sha256).hexdigest()
    assert first.headers["X-Figwatch-Signature"] == expected
    assert json.loads(first.body)["version"] == 1


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("act", "kind", "reason"),
    [
        ("429", DeliveryResultKind.RETRY, "rate_limited"),
        ("500", DeliveryResultKind.RETRY, "server_error"),
        ("503", DeliveryResultKind.RETRY, "server_error"),
        ("400", DeliveryResultKind.REFUSED, "rejected"),
        ("drop_reply", DeliveryResultKind.UNCONFIRMED, "connection_lost"),
        ("reset", DeliveryResultKind.UNCONFIRMED, "connection_lost"),
        ("hang", DeliveryResultKind.UNCONFIRMED, "no_answer"),
    ],
)
async def test_each_way_to_go_wrong_is_told_apart(
    pager: RunningPager,
    session: aiohttp.ClientSession,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    act: str,
    kind: DeliveryResultKind,
    reason: str,
) -> None:
    monkeypatch.setattr(post, "TIMEOUT", aiohttp.ClientTimeout(total=0.5, connect=0.4))
    pager.misbehave(path, act)
    result = await attempt(pager, session, path)
    assert (result.kind, result.reason) == (kind, reason)


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("7", 7 * SECOND),
        ("1.5", 1500),
        ("-3", 0),
        ("Sun, 22 Nov 2026 12:00:30 GMT", 30 * SECOND),
        ("a while", None),
        ("9" * 80, DAY),
    ],
)
async def test_retry_after_reaches_the_worker_as_it_was_meant(
    pager: RunningPager, session: aiohttp.ClientSession, header: str, wanted: int | None
) -> None:
    pager.misbehave("slack", "429", retry_after=header)
    result = await attempt(pager, session, "slack")
    assert result.kind is DeliveryResultKind.RETRY
    assert result.retry_after == wanted


async def test_a_receiver_that_is_not_there_got_nothing(session: aiohttp.ClientSession) -> None:
    to = receiver(kind=Webhook(url="http://127.0.0.1:1/hook"))
    result = await notifier_for(to, session, reading(""), ManualClock(NOON)).deliver(delivery())
    assert (result.kind, result.reason) == (DeliveryResultKind.RETRY, "connection_failed")


async def test_a_name_that_nobody_knows_got_nothing(session: aiohttp.ClientSession) -> None:
    to = receiver(kind=Webhook(url="http://nobody.invalid/hook"))
    result = await notifier_for(to, session, reading(""), ManualClock(NOON)).deliver(delivery())
    assert (result.kind, result.reason) == (DeliveryResultKind.RETRY, "name_not_found")


async def test_a_redirect_is_not_followed(pager: RunningPager, session: aiohttp.ClientSession) -> None:
    async def elsewhere(_: aiohttp.web.Request) -> aiohttp.web.Response:
        raise aiohttp.web.HTTPTemporaryRedirect(pager.webhook)

    app = aiohttp.web.Application()
    app.router.add_post("/", elsewhere)
    runner = aiohttp.web.AppRunner(app, access_log=None)
    await runner.setup()
    site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        to = receiver(kind=Webhook(url=f"http://127.0.0.1:{runner.addresses[0][1]}/"))
        result = await notifier_for(to, session, reading(""), ManualClock(NOON)).deliver(delivery())
    finally:
        await runner.cleanup()
    assert (result.kind, result.reason) == (DeliveryResultKind.REFUSED, "redirected")
    assert pager.received("webhook") == []


@pytest.mark.parametrize("path", PATHS)
async def test_a_secret_that_cannot_be_read_is_named_and_nothing_is_sent(
    pager: RunningPager, session: aiohttp.ClientSession, path: str
) -> None:
    def missing(secret: Secret) -> str:
        raise SecretUnreadable(f"{secret} is empty")

    to, _ = speaking_to(pager, path)
    result = await notifier_for(to, session, missing, ManualClock(NOON)).deliver(delivery())
    assert (result.kind, result.reason) == (DeliveryResultKind.REFUSED, "secret_unreadable")
    assert "environment" in result.detail
    assert pager.received(path) == []


async def _echo(request: aiohttp.web.Request) -> aiohttp.web.Response:
    everything = f"{request.url} {dict(request.headers)} {await request.text()}"
    return aiohttp.web.Response(status=400, text=everything)


@pytest.mark.parametrize("path", PATHS)
async def test_a_planted_secret_appears_in_no_result_and_no_log(
    session: aiohttp.ClientSession, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, path: str
) -> None:
    app = aiohttp.web.Application()
    app.router.add_post("/{rest:.*}", _echo)
    runner = aiohttp.web.AppRunner(app, access_log=None)
    await runner.setup()
    site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    kinds: dict[str, tuple[PagerDuty | Slack | Webhook, str]] = {
        "pagerduty": (PagerDuty(routing_key=Secret(env="KEY"), url=url), PLANTED),
        "slack": (Slack(webhook_url=Secret(env="HOOK")), f"{url}/services/T0/B0/{PLANTED}"),
        "webhook": (Webhook(url=Secret(env="HOOK"), secret=Secret(env="HOOK")), f"{url}/x?token={PLANTED}"),
    }
    kind, secret = kinds[path]
    try:
        result = await notifier_for(receiver(kind=kind), session, reading(secret), ManualClock(NOON)).deliver(
            delivery()
        )
    finally:
        await runner.cleanup()
    assert result.kind is DeliveryResultKind.REFUSED
    captured = capfd.readouterr()
    assert PLANTED not in repr(result) + captured.out + captured.err + caplog.text


async def test_a_page_and_its_resolve_survive_an_evening_with_a_bad_receiver(
    tmp_path: Path, pager: RunningPager, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(post, "TIMEOUT", aiohttp.ClientTimeout(total=0.5, connect=0.4))
    for act in ("500", "429", "drop_reply", "reset", "hang"):
        pager.misbehave("pagerduty", act, retry_after="2" if act == "429" else None)
    store = SqliteStore(tmp_path / "figwatch.db")
    await store.open()
    clock = ManualClock(NOON)
    to, secret = speaking_to(pager, "pagerduty")
    worker = Worker(
        to,
        store,
        notifier_for(to, session, reading(secret), clock),
        clock=clock,
        random=Random(5),
        wake=asyncio.Event(),
        wait=ManualWait(clock),
    )
    rows = (a_row("incident-1/0/oncall"), a_row("incident-1/1/oncall", kind=PageKind.RESOLVE))
    try:
        for sequence, row in enumerate(rows, start=1):
            await store.commit(Outcome(sequence=sequence, at=NOON, outbox=(row,)))
            with pytest.raises(Asleep):
                await worker.run()
        assert {each.state for each in await store.deliveries()} == {DeliveryState.ACCEPTED}
    finally:
        await store.close()
    (alert,) = pager.people()
    assert alert["state"] == "resolved"


async def test_a_refusing_receiver_hands_page_and_resolve_to_its_fallback(
    tmp_path: Path, pager: RunningPager, session: aiohttp.ClientSession
) -> None:
    pager.misbehave("pagerduty", "400")
    store = SqliteStore(tmp_path / "figwatch.db")
    await store.open()
    clock = ManualClock(NOON)
    oncall, key = speaking_to(pager, "pagerduty")
    chat, hook = speaking_to(pager, "slack")
    receivers: list[tuple[Receiver, str]] = [
        (replace(oncall, fallback="chat-ops"), key),
        (replace(chat, name="chat-ops"), hook),
    ]
    workers = [
        Worker(
            to,
            store,
            notifier_for(to, session, reading(secret), clock),
            clock=clock,
            random=Random(5),
            wake=asyncio.Event(),
            wait=ManualWait(clock),
        )
        for to, secret in receivers
    ]
    try:
        for number, kind in enumerate((PageKind.TRIGGER, PageKind.RESOLVE)):
            row = a_row(f"incident-1/{number}/oncall", kind=kind)
            await store.commit(Outcome(sequence=number + 1, at=NOON, outbox=(row,)))
            for worker in workers:
                with pytest.raises(Asleep):
                    await worker.run()
    finally:
        await store.close()
    texts = [str(message["summary"]) for message in pager.people()]
    assert [text.split(":")[0] for text in texts] == ["Page", "Resolved"]


@pytest.mark.parametrize(("well", "calls"), [(True, ["GET /ping"]), (False, [])])
async def test_the_heartbeat_beats_only_while_all_is_well(
    session: aiohttp.ClientSession, well: bool, calls: list[str]
) -> None:
    seen: list[str] = []

    async def watchdog(request: aiohttp.web.Request) -> aiohttp.web.Response:
        seen.append(f"{request.method} {request.path}")
        return aiohttp.web.Response()

    async with served(watchdog) as url:
        settings = HeartbeatSettings(url=str(URL(url).with_path("/ping")))
        heart = Heartbeat(settings, session, reading(""), healthy=lambda: well)
        assert await heart.beat() is well
    assert seen == calls


async def test_a_watchdog_that_is_gone_breaks_nothing(session: aiohttp.ClientSession) -> None:
    settings = HeartbeatSettings(url=Secret(env="WATCHDOG"))
    heart = Heartbeat(settings, session, reading("http://127.0.0.1:1/ping"), healthy=lambda: True)
    assert await heart.beat() is False
