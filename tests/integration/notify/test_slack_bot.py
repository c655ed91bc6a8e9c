"""Slack's Web API over a real socket: threads, edits, broadcasts, refusals, and what becomes of a lost answer."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from random import Random

import aiohttp
import pytest

from figwatch_agent.clock import ManualClock
from figwatch_agent.durations import SECOND
from figwatch_agent.model.effect import DeliveryState, RollbackState
from figwatch_agent.model.incident import RollbackRun, RollbackVerdict
from figwatch_agent.model.journal import Delivery, DeliveryResult, DeliveryResultKind
from figwatch_agent.model.outcome import Outcome
from figwatch_agent.model.page import PageKind
from figwatch_agent.model.secret import Secret
from figwatch_agent.model.settings import Receiver, SlackBot
from figwatch_agent.notify.build import notifier_for, open_session
from figwatch_agent.notify.slack_bot import SlackBotNotifier
from figwatch_agent.notify.worker import Worker
from figwatch_agent.ports import Notifier
from figwatch_agent.store.memory import MemoryStore
from support.model_values import NOON, a_page, a_row, an_incident
from support.notify import Asleep, ManualWait, reading, receiver
from support.pager import RunningPager, running_pager

TOKEN = "xoxb-planted-7f3a9c"
CHANNEL = "C0123ABCD"


@pytest.fixture(name="pager")
async def _pager() -> AsyncIterator[RunningPager]:
    async with running_pager() as pager:
        yield pager


@pytest.fixture(name="session")
async def _session() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_session() as session:
        yield session


def to(pager: RunningPager, channel: str = CHANNEL) -> Receiver:
    return receiver(kind=SlackBot(bot_token=Secret(env="TOKEN"), channel=channel, url=pager.slack_api))


def bot(pager: RunningPager, session: aiohttp.ClientSession, token: str = TOKEN, channel: str = CHANNEL) -> Notifier:
    return notifier_for(to(pager, channel), session, reading(token), ManualClock(NOON))


def delivery(kind: PageKind = PageKind.TRIGGER, message_id: str = "", run: RollbackRun | None = None) -> Delivery:
    page = a_page(kind, incident=replace(an_incident(), rollback=run))
    row = replace(a_row(kind=kind), page=page)
    return Delivery(row=row, state=DeliveryState.SENDING, attempts=1, created_at=NOON, next_at=0, message_id=message_id)


def a_run(verdict: RollbackVerdict, state: RollbackState = RollbackState.DONE) -> RollbackRun:
    return RollbackRun(id="r", plan="chat-to-legacy", decided_at=NOON, state=state, verdict=verdict)


async def first(pager: RunningPager, session: aiohttp.ClientSession) -> str:
    """A page is posted; what Slack calls it."""
    result = await bot(pager, session).deliver(delivery())
    assert result.kind is DeliveryResultKind.ACCEPTED
    assert result.message_id.startswith(f"{CHANNEL}/")
    return result.message_id


async def test_the_first_message_stands_in_the_channel_and_gives_its_name(
    pager: RunningPager, session: aiohttp.ClientSession
) -> None:
    name = await first(pager, session)
    (message,) = pager.people()
    assert (message["key"], message["thread"]) == (name, None)


async def test_an_update_goes_into_the_thread_and_its_first_message_shows_the_newest_state(
    pager: RunningPager, session: aiohttp.ClientSession
) -> None:
    name = await first(pager, session)
    result = await bot(pager, session).deliver(delivery(PageKind.UPDATE, name))
    assert result.message_id == name
    root, reply = pager.people()
    assert (reply["thread"], reply["broadcast"]) == (name, False)
    assert root["edits"] == 1
    assert str(root["summary"]).startswith("Update: ")


async def test_a_resolve_is_shown_in_the_channel_as_well(pager: RunningPager, session: aiohttp.ClientSession) -> None:
    name = await first(pager, session)
    await bot(pager, session).deliver(delivery(PageKind.RESOLVE, name))
    root, reply = pager.people()
    assert (reply["thread"], reply["broadcast"]) == (name, True)
    assert str(root["summary"]).startswith("Resolved: ")


@pytest.mark.parametrize(
    ("run", "shown"),
    [
        (a_run(RollbackVerdict.HELPED), False),  # good news can wait in the thread
        (a_run(RollbackVerdict.PENDING), False),
        (a_run(RollbackVerdict.INEFFECTIVE), True),
        (a_run(RollbackVerdict.UNVERIFIED), True),
        (a_run(RollbackVerdict.PENDING, RollbackState.NEEDS_HUMAN), True),
        (a_run(RollbackVerdict.PENDING, RollbackState.ABANDONED), True),
    ],
)
async def test_an_update_that_asks_for_a_person_is_shown_in_the_channel(
    pager: RunningPager, session: aiohttp.ClientSession, run: RollbackRun, shown: bool
) -> None:
    name = await first(pager, session)
    await bot(pager, session).deliver(delivery(PageKind.UPDATE, name, run))
    assert pager.people()[1]["broadcast"] is shown


async def test_a_second_page_of_the_same_incident_is_shown_and_leaves_the_first_message_as_it_is(
    pager: RunningPager, session: aiohttp.ClientSession
) -> None:
    name = await first(pager, session)
    await bot(pager, session).deliver(delivery(PageKind.TRIGGER, name))
    root, reply = pager.people()
    assert (root["edits"], reply["thread"], reply["broadcast"]) == (0, name, True)


async def test_a_first_message_that_somebody_deleted_is_posted_anew(
    pager: RunningPager, session: aiohttp.ClientSession
) -> None:
    name = await first(pager, session)
    pager.pager.workspace.delete(name.partition("/")[2])
    for kind in (PageKind.UPDATE, PageKind.TRIGGER):
        result = await bot(pager, session).deliver(delivery(kind, name))
        assert result.kind is DeliveryResultKind.ACCEPTED
        assert result.message_id != name
    assert [message["thread"] for message in pager.people()] == [None, None]


async def test_another_channel_in_the_settings_begins_a_thread_of_its_own(
    pager: RunningPager, session: aiohttp.ClientSession
) -> None:
    name = await first(pager, session)
    result = await bot(pager, session, channel="C0999").deliver(delivery(PageKind.UPDATE, name))
    assert result.message_id.startswith("C0999/")
    assert pager.people()[1]["thread"] is None


async def test_a_thread_is_kept_while_the_store_cannot_tell_it(
    pager: RunningPager, session: aiohttp.ClientSession
) -> None:
    one = bot(pager, session)
    name = (await one.deliver(delivery())).message_id
    assert (await one.deliver(delivery(PageKind.RESOLVE))).message_id == name
    assert pager.people()[1]["thread"] == name


async def test_an_edit_that_fails_does_not_hold_up_the_message(
    pager: RunningPager, session: aiohttp.ClientSession
) -> None:
    name = await first(pager, session)
    pager.misbehave("slack_api", "not_ok", error="edit_window_closed")
    result = await bot(pager, session).deliver(delivery(PageKind.UPDATE, name))
    assert result.kind is DeliveryResultKind.ACCEPTED
    assert pager.people()[1]["thread"] == name


async def test_a_message_whose_look_is_refused_is_posted_in_bare_words(
    pager: RunningPager, session: aiohttp.ClientSession
) -> None:
    pager.misbehave("slack_api", "not_ok", error="invalid_blocks")
    result = await bot(pager, session).deliver(delivery())
    assert result.kind is DeliveryResultKind.ACCEPTED
    refused, taken = pager.received("slack_api")
    assert "blocks" in json.loads(refused.body)
    assert "blocks" not in json.loads(taken.body)
    assert str(pager.people()[0]["summary"]).startswith("Page: /api/v1/chat fails")


REFUSALS = {
    "ratelimited": (DeliveryResultKind.RETRY, "rate_limited"),
    "service_unavailable": (DeliveryResultKind.RETRY, "server_error"),
    "fatal_error": (DeliveryResultKind.UNCONFIRMED, "server_error"),
    "invalid_auth": (DeliveryResultKind.REFUSED, "unauthorized"),
    "missing_scope": (DeliveryResultKind.REFUSED, "unauthorized"),
    "channel_not_found": (DeliveryResultKind.REFUSED, "channel_closed"),
    "not_in_channel": (DeliveryResultKind.REFUSED, "channel_closed"),
    "is_archived": (DeliveryResultKind.REFUSED, "channel_closed"),
    "invalid_arg_name": (DeliveryResultKind.REFUSED, "rejected"),
    "a_word_of_tomorrow": (DeliveryResultKind.REFUSED, "odd_answer"),
}


@pytest.mark.parametrize("word", REFUSALS)
async def test_a_refusal_with_status_200_is_one(pager: RunningPager, session: aiohttp.ClientSession, word: str) -> None:
    pager.misbehave("slack_api", "not_ok", error=word)
    result = await bot(pager, session).deliver(delivery())
    assert (result.kind, result.reason) == REFUSALS[word]
    assert result.detail == f"Slack says {word}"
    assert len(pager.received("slack_api")) == 1


async def test_a_refusal_never_repeats_the_token(pager: RunningPager, session: aiohttp.ClientSession) -> None:
    pager.misbehave("slack_api", "not_ok", error=f"bad {TOKEN}")
    assert TOKEN not in repr(await bot(pager, session).deliver(delivery()))


async def test_a_token_that_is_none_is_said_to_be_one(pager: RunningPager, session: aiohttp.ClientSession) -> None:
    result = await bot(pager, session, token="hunter2").deliver(delivery())
    assert (result.kind, result.reason) == (DeliveryResultKind.REFUSED, "unauthorized")


@pytest.mark.parametrize(
    "answer", ["", "ok", "<html>a proxy</html>", "[]", '{"ok": null}', '{"ok": false}', "[" * 9999]
)
async def test_an_answer_that_is_not_slacks_may_hide_a_message(
    pager: RunningPager, session: aiohttp.ClientSession, answer: str
) -> None:
    pager.misbehave("slack_api", "garbage", error=answer)
    result = await bot(pager, session).deliver(delivery())
    assert (result.kind, result.reason) == (DeliveryResultKind.UNCONFIRMED, "odd_answer")


@pytest.mark.parametrize("ts", ['"../1"', "17", "null", '"1.2.3"'])
async def test_a_message_without_a_proper_name_is_accepted_and_has_no_thread(
    pager: RunningPager, session: aiohttp.ClientSession, ts: str
) -> None:
    pager.misbehave("slack_api", "garbage", error=f'{{"ok": true, "ts": {ts}}}')
    assert await bot(pager, session).deliver(delivery()) == DeliveryResult(kind=DeliveryResultKind.ACCEPTED)


@pytest.mark.parametrize(
    ("act", "kind", "reason"),
    [
        ("429", DeliveryResultKind.RETRY, "rate_limited"),
        ("503", DeliveryResultKind.RETRY, "server_error"),
        ("400", DeliveryResultKind.REFUSED, "rejected"),
        ("drop_reply", DeliveryResultKind.UNCONFIRMED, "connection_lost"),
    ],
)
async def test_what_the_status_or_the_wire_says_counts_as_for_every_receiver(
    pager: RunningPager, session: aiohttp.ClientSession, act: str, kind: DeliveryResultKind, reason: str
) -> None:
    pager.misbehave("slack_api", act, retry_after="7")
    result = await bot(pager, session).deliver(delivery())
    assert (result.kind, result.reason) == (kind, reason)
    assert result.retry_after == (7 * SECOND if act in ("429", "503") else None)


async def test_nothing_is_posted_while_the_token_cannot_be_read(
    pager: RunningPager, session: aiohttp.ClientSession
) -> None:
    result = await bot(pager, session, token=" ").deliver(delivery())
    assert (result.kind, result.reason) == (DeliveryResultKind.REFUSED, "secret_unreadable")
    assert pager.received("slack_api") == []


async def told(pager: RunningPager, session: aiohttp.ClientSession, kinds: list[PageKind]) -> MemoryStore:
    """Rows of one incident through a worker, until nothing is left to do."""
    clock, store = ManualClock(NOON), MemoryStore()
    notifier = SlackBotNotifier(_kind(to(pager)), session, reading(TOKEN), clock)
    rows = tuple(a_row(f"incident-1/{number}/oncall", kind=kind) for number, kind in enumerate(kinds))
    await store.commit(Outcome(sequence=1, at=NOON, outbox=rows))
    worker = Worker(
        to(pager),
        store,
        notifier,
        clock=clock,
        random=Random(1),
        wake=asyncio.Event(),
        wait=ManualWait(clock),
    )
    with pytest.raises(Asleep):
        await worker.run()
    return store


def _kind(one: Receiver) -> SlackBot:
    assert isinstance(one.kind, SlackBot)
    return one.kind


async def test_a_whole_incident_is_one_thread_whose_name_the_store_keeps(
    pager: RunningPager, session: aiohttp.ClientSession
) -> None:
    store = await told(pager, session, [PageKind.TRIGGER, PageKind.UPDATE, PageKind.RESOLVE])
    root, *replies = pager.people()
    assert [reply["thread"] for reply in replies] == [root["key"]] * 2
    assert {row.message_id for row in await store.deliveries()} == {root["key"]}


async def test_a_lost_reply_repeats_the_page_which_says_so_and_what_follows_goes_under_the_repetition(
    pager: RunningPager, session: aiohttp.ClientSession
) -> None:
    pager.misbehave("slack_api", "drop_reply")
    await told(pager, session, [PageKind.TRIGGER, PageKind.UPDATE])
    lost, repeated, update = pager.people()
    assert "may be a repetition" in pager.received("slack_api")[1].body
    assert (lost["thread"], repeated["thread"], update["thread"]) == (None, None, repeated["key"])


async def test_a_lost_reply_in_the_thread_repeats_in_the_thread(
    pager: RunningPager, session: aiohttp.ClientSession
) -> None:
    pager.misbehave("slack_api", "behave", times=2)  # the page, and the edit
    pager.misbehave("slack_api", "drop_reply")
    await told(pager, session, [PageKind.TRIGGER, PageKind.UPDATE])
    root, *replies = pager.people()
    assert [reply["thread"] for reply in replies] == [root["key"]] * 2


async def test_a_rate_limit_in_the_middle_of_an_incident_loses_nothing(
    pager: RunningPager, session: aiohttp.ClientSession
) -> None:
    pager.misbehave("slack_api", "429", times=3, retry_after="2")
    await told(pager, session, [PageKind.TRIGGER, PageKind.UPDATE, PageKind.RESOLVE])
    root, *replies = pager.people()
    assert [reply["thread"] for reply in replies] == [root["key"]] * 2
    assert str(root["summary"]).startswith("Resolved: ")
