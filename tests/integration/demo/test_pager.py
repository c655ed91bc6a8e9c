"""The pager keeps to the protocols it speaks, and goes wrong only when told to."""

import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest

from figwatch_agent.demo import events_v2, slack_hook
from support.pager import ROUTING_KEY, RunningPager, running_pager


@pytest.fixture(name="pager")
async def _pager() -> AsyncIterator[RunningPager]:
    async with running_pager() as pager:
        yield pager


@pytest.fixture(name="client")
async def _client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as client:
        yield client


def event(action: str = "trigger", key: str | None = "incident-1", **payload: object) -> dict[str, object]:
    fields: dict[str, object] = {"summary": "chat is failing", "source": "figwatch", "severity": "critical", **payload}
    document: dict[str, object] = {"routing_key": ROUTING_KEY, "event_action": action}
    if action == "trigger":
        document["payload"] = fields
    if key is not None:
        document["dedup_key"] = key
    return document


async def send(client: aiohttp.ClientSession, url: str, document: object) -> tuple[int, str]:
    async with client.post(url, json=document) as answer:
        return answer.status, await answer.text()


async def test_a_trigger_is_accepted_with_pagerdutys_answer(pager: RunningPager, client: aiohttp.ClientSession) -> None:
    status, text = await send(client, pager.pagerduty, event())
    assert status == 202
    assert json.loads(text) == {"status": "success", "message": "Event processed", "dedup_key": "incident-1"}


async def test_triggers_of_one_key_are_one_alert_until_it_is_resolved(
    pager: RunningPager, client: aiohttp.ClientSession
) -> None:
    for document in (event(), event(summary="rolled back"), event("resolve"), event(summary="again")):
        await send(client, pager.pagerduty, document)
    first, second = pager.people()
    assert (first["state"], first["duplicates"], first["notes"]) == ("resolved", 1, ["rolled back"])
    assert (second["state"], second["summary"]) == ("open", "again")


async def test_an_alert_that_is_acknowledged_shows_when(pager: RunningPager, client: aiohttp.ClientSession) -> None:
    for document in (event(), event("acknowledge")):
        await send(client, pager.pagerduty, document)
    (alert,) = pager.people()
    assert alert["state"] == "acknowledged"
    assert isinstance(alert["acknowledged_at"], int)


async def test_resolving_what_nobody_knows_is_accepted_and_changes_nothing(
    pager: RunningPager, client: aiohttp.ClientSession
) -> None:
    status, _ = await send(client, pager.pagerduty, event("resolve"))
    assert status == 202
    assert pager.people() == []


async def test_triggers_without_a_key_are_alerts_of_their_own(
    pager: RunningPager, client: aiohttp.ClientSession
) -> None:
    for _ in range(2):
        await send(client, pager.pagerduty, event(key=None))
    assert len(pager.people()) == 2


async def test_keys_of_different_integrations_do_not_meet(pager: RunningPager, client: aiohttp.ClientSession) -> None:
    await send(client, pager.pagerduty, event())
    await send(client, pager.pagerduty, event() | {"routing_key": ROUTING_KEY[::-1]})
    assert len(pager.people()) == 2


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        (event() | {"routing_key": "short"}, "routing_key"),
        (event() | {"routing_key": None}, "routing_key"),
        (event("explode"), "event_action"),
        (event(key="k" * 256), "dedup_key"),
        (event("resolve", key=None), "dedup_key"),
        (event(summary="s" * 1025), "summary"),
        (event(summary=""), "summary"),
        (event(severity="fatal"), "severity"),
        (event(source=None), "source"),
        ({"routing_key": ROUTING_KEY, "event_action": "trigger"}, "payload"),
        (["no", "object"], "JSON object"),
    ],
)
async def test_an_event_that_pagerduty_would_refuse_is_refused_with_the_field(
    pager: RunningPager, client: aiohttp.ClientSession, document: object, complaint: str
) -> None:
    status, text = await send(client, pager.pagerduty, document)
    assert status == 400
    assert any(complaint in error for error in json.loads(text)["errors"])
    assert pager.people() == []


def test_the_longest_fields_that_pagerduty_allows_are_allowed() -> None:
    assert events_v2.refusals(event(key="k" * 255, summary="s" * 1024)) == []


@pytest.mark.parametrize(("size", "status"), [(events_v2.BODY_LIMIT, 400), (events_v2.BODY_LIMIT + 1, 413)])
async def test_a_body_over_the_limit_is_refused_as_too_large(
    pager: RunningPager, client: aiohttp.ClientSession, size: int, status: int
) -> None:
    async with client.post(pager.pagerduty, data=b"x" * size) as answer:
        assert answer.status == status
    assert pager.received("pagerduty")[0].status == status


async def test_a_slack_message_is_answered_ok_and_read_by_people(
    pager: RunningPager, client: aiohttp.ClientSession
) -> None:
    assert await send(client, pager.slack, {"text": "chat is back"}) == (200, "ok")
    (message,) = pager.people()
    assert (message["receiver"], message["summary"]) == ("slack", "chat is back")


def section(length: int) -> dict[str, object]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": "x" * length}}


def header(length: int, kind: str = "plain_text") -> dict[str, object]:
    return {"type": "header", "text": {"type": kind, "text": "x" * length}}


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ("not json", "invalid_payload"),
        ("[]", "invalid_payload"),
        ("{}", "no_text"),
        (json.dumps({"text": "", "blocks": []}), "no_text"),
        (json.dumps({"text": "t", "blocks": [section(3001)]}), "invalid_blocks"),
        (json.dumps({"text": "t", "blocks": [header(151)]}), "invalid_blocks"),
        (json.dumps({"text": "t", "blocks": [header(5, "mrkdwn")]}), "invalid_blocks"),
        (json.dumps({"text": "t", "blocks": [{"type": "divider"}] * 51}), "invalid_blocks"),
        (json.dumps({"text": "t", "blocks": [{"type": "unheard_of"}]}), "invalid_blocks"),
        (json.dumps({"text": "t", "blocks": [{"type": "section"}]}), "invalid_blocks"),
        (json.dumps({"blocks": [section(3000), header(150), *[{"type": "divider"}] * 48]}), ""),
    ],
)
def test_slack_refuses_what_breaks_its_limits_and_nothing_else(body: str, word: str) -> None:
    assert slack_hook.refusal(body) == word


async def test_a_webhook_is_kept_with_headers_and_exact_body(
    pager: RunningPager, client: aiohttp.ClientSession
) -> None:
    raw = b'{"a": "\xff\xc3\xa9"}'
    async with client.post(pager.webhook, data=raw, headers={"X-Signature": "abc"}) as answer:
        assert answer.status == 200
    (one,) = pager.received("webhook")
    assert one.body.encode("utf-8", "surrogateescape") == raw
    assert one.headers["X-Signature"] == "abc"


@pytest.mark.parametrize("retry_after", ["3", "0.5", "Wed, 21 Oct 2026 07:28:00 GMT", "soon"])
async def test_a_refusal_carries_retry_after_as_it_was_ordered(
    pager: RunningPager, client: aiohttp.ClientSession, retry_after: str
) -> None:
    pager.misbehave("slack", "429", retry_after=retry_after)
    async with client.post(pager.slack, json={"text": "t"}) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (429, retry_after)
    assert pager.people() == []


@pytest.mark.parametrize("do", ["400", "429", "500", "503"])
async def test_a_refusal_lasts_as_often_as_ordered_and_accepts_nothing(
    pager: RunningPager, client: aiohttp.ClientSession, do: str
) -> None:
    pager.misbehave("pagerduty", do, times=2)
    statuses = [(await send(client, pager.pagerduty, event()))[0] for _ in range(3)]
    assert statuses == [int(do), int(do), 202]
    assert [one.accepted for one in pager.received("pagerduty")] == [False, False, True]


async def test_a_dropped_reply_was_accepted_all_the_same(pager: RunningPager, client: aiohttp.ClientSession) -> None:
    pager.misbehave("pagerduty", "drop_reply")
    with pytest.raises(aiohttp.ClientConnectionError):
        await send(client, pager.pagerduty, event())
    (alert,) = pager.people()
    assert alert["state"] == "open"


async def test_a_reset_accepts_nothing(pager: RunningPager, client: aiohttp.ClientSession) -> None:
    pager.misbehave("pagerduty", "reset")
    with pytest.raises(aiohttp.ClientConnectionError):
        await send(client, pager.pagerduty, event())
    assert pager.people() == []


async def test_a_hang_gives_no_answer_and_accepts_nothing(pager: RunningPager, client: aiohttp.ClientSession) -> None:
    pager.misbehave("pagerduty", "hang")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await send(client, pager.pagerduty, event())
    assert pager.people() == []


async def test_a_slow_answer_comes_late_and_accepts(pager: RunningPager, client: aiohttp.ClientSession) -> None:
    pager.misbehave("pagerduty", "slow", delay_ms=150)
    loop = asyncio.get_running_loop()
    before = loop.time()
    status, _ = await send(client, pager.pagerduty, event())
    assert (status, loop.time() - before >= 0.15) == (202, True)


async def test_orders_are_carried_out_one_after_the_other_and_can_be_forgotten(
    pager: RunningPager, client: aiohttp.ClientSession
) -> None:
    pager.misbehave("pagerduty", "429")
    pager.misbehave("pagerduty", "500")
    pager.misbehave("pagerduty", "503", times=5)
    first = [(await send(client, pager.pagerduty, event()))[0] for _ in range(3)]
    pager.misbehave("pagerduty", "500", times=0)
    assert first == [429, 500, 503]
    assert (await send(client, pager.pagerduty, event()))[0] == 202


async def test_what_was_seen_and_misbehaviour_are_spoken_over_http(
    pager: RunningPager, client: aiohttp.ClientSession
) -> None:
    assert (await send(client, f"{pager.url}/misbehave", {"path": "webhook", "do": "500", "times": 1}))[0] == 200
    assert (await send(client, f"{pager.url}/misbehave", {"path": "fax", "do": "500"}))[0] == 400
    await send(client, pager.webhook, {"a": 1})
    await send(client, pager.pagerduty, event())
    async with client.get(f"{pager.url}/seen") as answer:
        seen = await answer.json()
    assert [(one["path"], one["accepted"], one["status"]) for one in seen["received"]] == [
        ("webhook", False, 500),
        ("pagerduty", True, 202),
    ]
    assert [person["key"] for person in seen["people"]] == ["incident-1"]


async def call(
    client: aiohttp.ClientSession, pager: RunningPager, method: str, **arguments: object
) -> dict[str, object]:
    """One call of the Web API, as a bot."""
    headers = {"Authorization": "Bearer xoxb-1"}
    async with client.post(f"{pager.slack_api}/{method}", json=arguments, headers=headers) as answer:
        assert answer.status == 200
        said: dict[str, object] = await answer.json()
        return said


async def test_the_web_api_posts_answers_in_threads_and_edits(
    pager: RunningPager, client: aiohttp.ClientSession
) -> None:
    root = await call(client, pager, "chat.postMessage", channel="C1", text="fails")
    assert root["ok"] is True
    reply = {"channel": "C1", "text": "well again", "thread_ts": root["ts"], "reply_broadcast": True}
    await call(client, pager, "chat.postMessage", **reply)
    await call(client, pager, "chat.update", channel="C1", ts=root["ts"], text="resolved")
    first, second = pager.people()
    assert (first["summary"], first["edits"], first["thread"]) == ("resolved", 1, None)
    assert (second["thread"], second["broadcast"]) == (first["key"], True)


@pytest.mark.parametrize(
    ("method", "arguments", "word"),
    [
        ("chat.postMessage", {"channel": "C1"}, "no_text"),
        ("chat.postMessage", {"channel": "#ops", "text": "x"}, "channel_not_found"),
        ("chat.postMessage", {"channel": "C1", "text": "x", "thread_ts": "1.1"}, "thread_not_found"),
        ("chat.postMessage", {"channel": "C1", "text": "x", "blocks": [{"type": "header"}]}, "invalid_blocks"),
        ("chat.update", {"channel": "C1", "text": "x", "ts": "1.1"}, "message_not_found"),
        ("chat.delete", {"channel": "C1", "text": "x"}, "unknown_method"),
    ],
)
async def test_the_web_api_refuses_with_status_200_and_a_word(
    pager: RunningPager, client: aiohttp.ClientSession, method: str, arguments: dict[str, object], word: str
) -> None:
    assert await call(client, pager, method, **arguments) == {"ok": False, "error": word}
    assert [one.accepted for one in pager.received("slack_api")] == [False]
    assert pager.people() == []


@pytest.mark.parametrize(("header", "word"), [({}, "not_authed"), ({"Authorization": "Bearer x"}, "invalid_auth")])
async def test_the_web_api_wants_a_bots_token(
    pager: RunningPager, client: aiohttp.ClientSession, header: dict[str, str], word: str
) -> None:
    url = f"{pager.slack_api}/chat.postMessage"
    async with client.post(url, json={"channel": "C1", "text": "x"}, headers=header) as answer:
        assert await answer.json() == {"ok": False, "error": word}


@pytest.mark.parametrize(
    "element",
    [
        {"type": "button", "text": {"type": "plain_text", "text": "x" * 76}},
        {"type": "button", "text": {"type": "mrkdwn", "text": "x"}},
        {"type": "button", "text": {"type": "plain_text", "text": "x"}, "url": "https://e.example/" + "x" * 3000},
        {"type": "button", "text": {"type": "plain_text", "text": "x"}, "action_id": "x" * 256},
        {"type": "button", "text": {"type": "plain_text", "text": "x"}, "style": "loud"},
    ],
)
def test_a_button_beyond_slacks_limits_is_refused(element: dict[str, object]) -> None:
    message = {"text": "x", "blocks": [{"type": "actions", "elements": [element]}]}
    assert slack_hook.refused_content(message) == "invalid_blocks"


def test_two_elements_may_not_have_one_name() -> None:
    button = {"type": "button", "text": {"type": "plain_text", "text": "x"}, "action_id": "same"}
    message = {"text": "x", "blocks": [{"type": "actions", "elements": [button, button]}]}
    assert slack_hook.refused_content(message) == "invalid_blocks"
