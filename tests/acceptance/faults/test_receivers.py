"""A receiver that misbehaves loses no page, tells nobody twice, and closes what it opened."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from figwatch_agent.demo.pager import Received
from support.scene import Scene

pytestmark = pytest.mark.asyncio(loop_scope="session")


WAITS = {
    "seconds": ("1", 1000),
    "a fraction of a second": ("0.7", 700),
    "a negative number": ("-5", 0),
    "a date long past": ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
    "nonsense": ("soon", 0),
    "nothing": (None, 0),
}
"""Retry-After, and milliseconds that the next attempt waits at least."""
DATES = {
    "as HTTP writes it": "%a, %d %b %Y %H:%M:%S GMT",
    "as RFC 850 wrote it": "%A, %d-%b-%y %H:%M:%S GMT",
    "as asctime writes it": "%a %b %e %H:%M:%S %Y",
}
CLOCKS_DIFFER = 100
"""Milliseconds between the clocks of the agent and of the pager, at most."""


async def two_attempts(scene: Scene, retry_after: str | None) -> tuple[Received, Received]:
    """The first is answered 429, the second accepted."""
    await scene.begin()
    scene.pager.misbehave("pagerduty", "429", retry_after=retry_after)
    scene.gateway.service_bad = 0.5
    await scene.paged()
    first, second = scene.attempts()[:2]
    assert (first.status, second.accepted) == (429, True)
    assert scene.events()[0]["event_action"] == "trigger"
    return first, second


FORMS = [pytest.param(form, marks=[] if form in ("seconds", "nothing") else [pytest.mark.slow]) for form in WAITS]


@pytest.mark.parametrize("form", FORMS)
async def test_a_429_is_obeyed_and_the_page_comes(scene: Scene, form: str) -> None:
    header, least = WAITS[form]
    first, second = await two_attempts(scene, header)
    assert second.at - first.at >= least


@pytest.mark.slow
@pytest.mark.parametrize("form", DATES)
async def test_a_429_with_a_date_is_obeyed_and_the_page_comes(scene: Scene, form: str) -> None:
    date = (datetime.now(UTC) + timedelta(seconds=4)).replace(microsecond=0)
    first, second = await two_attempts(scene, date.strftime(DATES[form]))
    until = int(date.timestamp()) * 1000
    assert first.at < until, "the machine was too slow for this test"
    assert second.at >= until - CLOCKS_DIFFER


async def test_a_429_that_asks_for_days_is_granted_five_minutes(scene: Scene) -> None:
    await scene.begin()
    scene.pager.misbehave("pagerduty", "429", retry_after="1000000")
    scene.gateway.service_bad = 0.5
    await scene.until(lambda: bool(scene.attempts()), "an attempt")
    await scene.until(lambda: any(one.reason == "rate_limited" for one in scene.home.deliveries()), "its end")
    (waiting,) = [one for one in scene.home.deliveries() if one.reason == "rate_limited"]
    assert 290_000 < waiting.next_at - scene.attempts()[0].at <= 301_000


async def test_a_page_survives_three_500(scene: Scene) -> None:
    await scene.begin()
    scene.pager.misbehave("pagerduty", "500", times=3)
    scene.gateway.service_bad = 0.5
    await scene.paged(within=30)
    assert [one.status for one in scene.attempts()[:4]] == [500, 500, 500, 202]


async def test_what_is_refused_goes_to_the_fallback_at_once_and_so_does_its_resolve(scene: Scene) -> None:
    scene.home.receivers, scene.home.fallback, scene.home.mode = ("oncall", "chat-ops"), True, "dry-run"
    await scene.begin()
    scene.pager.misbehave("pagerduty", "400", times=100)
    refused = time.monotonic()
    scene.gateway.service_bad = 0.5
    # chat-ops is told as itself, and for oncall.
    await scene.until(lambda: len(scene.pager.received("slack")) >= 2, "the fallback's page")
    assert time.monotonic() - refused < 10
    scene.gateway.service_bad = 0.0
    await scene.over()
    group = scene.incident().id
    assert sum(group in one.body for one in scene.attempts()) == 1, "after a refusal for good, nothing more goes there"
    assert scene.events() == []
    texts = [str(message["summary"]) for message in scene.pager.people() if "/api/v1/chat" in str(message["summary"])]
    # Between page and end may come an update, where the guard's decision changed meanwhile: told for both as well.
    kinds = [text.partition(":")[0] for text in texts]
    assert kinds[:2] == ["Page"] * 2, texts
    assert kinds[-2:] == ["Resolved"] * 2, texts
    assert set(kinds[2:-2]) <= {"Update"}, texts
    assert len(kinds) % 2 == 0, texts


@pytest.mark.slow
async def test_a_receiver_that_hangs_gets_the_page_again(scene: Scene) -> None:
    await scene.begin()
    scene.pager.misbehave("pagerduty", "hang")
    scene.gateway.service_bad = 0.5
    await scene.paged(within=30)
    assert len(scene.attempts()) >= 2
    assert [one.accepted for one in scene.attempts()[:2]] == [False, True]


async def test_a_reply_that_is_lost_after_the_page_was_accepted_wakes_nobody_twice(scene: Scene) -> None:
    scene.home.mode = "dry-run"
    await scene.begin()
    scene.pager.misbehave("pagerduty", "drop_reply")
    scene.gateway.service_bad = 0.5
    await scene.until(lambda: len(scene.events()) >= 2, "the page again")
    scene.gateway.service_bad = 0.0
    await scene.over()
    (alert,) = scene.pager.people()
    assert alert["state"] == "resolved"
    keys = {event["dedup_key"] for event in scene.events()}
    assert len(keys) == 1


async def test_a_resolve_waits_behind_its_page_while_the_receiver_is_down(scene: Scene) -> None:
    scene.home.mode = "dry-run"
    await scene.begin()
    scene.pager.misbehave("pagerduty", "500", times=3)
    scene.gateway.service_bad = 0.5
    await scene.until(lambda: bool(scene.attempts()), "an attempt")
    scene.gateway.service_bad = 0.0
    await scene.over(within=30)
    assert [event["event_action"] for event in scene.events()] == ["trigger", "resolve"]
    (alert,) = scene.pager.people()
    assert alert["state"] == "resolved"
