"""Scraping real servers on loopback, in every state a server can be in."""

import asyncio
import gzip
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import prometheus_client
import pytest
from aiohttp import web

from figwatch_agent.clock import AnchoredClock, ManualClock
from figwatch_agent.errors import SecretUnreadable
from figwatch_agent.model.batch import Batch
from figwatch_agent.model.secret import Secret
from figwatch_agent.model.settings import Scrape
from figwatch_agent.sources.scrape import ScrapeSource
from support.pages import everything, of_lines
from support.scrape_targets import (
    Handler,
    answering,
    breaking_off,
    dripping,
    endless,
    hanging_up,
    nobody_there,
    served,
    silent,
    zipped,
)

FINE = of_lines("# TYPE a counter", 'a_total{b="c"} 3', "up 1")
PATIENT = Scrape(targets=(), timeout=10_000, max_bytes=200_000)
HASTY = replace(PATIENT, timeout=300)


def read_secret(secret: Secret) -> str:
    return f"value of {secret.env}"


@asynccontextmanager
async def source(settings: Scrape, *targets: str, now: int = 1_000) -> AsyncIterator[ScrapeSource]:
    opened = ScrapeSource(replace(settings, targets=targets), everything, ManualClock(now), read_secret)
    try:
        yield opened
    finally:
        await opened.close()


async def scraped(handler: Handler, settings: Scrape = PATIENT) -> Batch:
    async with served(handler) as url, source(settings, url) as opened:
        (batch,) = await opened.collect(0)
        return batch


async def test_a_fine_page_is_up_with_its_series_at_the_time_it_was_complete() -> None:
    async with served(answering(FINE)) as url, source(PATIENT, url, now=42_000) as opened:
        (batch,) = await opened.collect(0)

    assert (batch.target, batch.up, batch.reason, batch.at) == (url, True, "", 42_000)
    assert [one.name for one in batch.table.series] == ["a_total", "up"]
    assert batch.values.tolist() == [3.0, 1.0]


async def test_the_table_is_the_same_object_from_scrape_to_scrape() -> None:
    async with served(answering(FINE)) as url, source(PATIENT, url) as opened:
        tables = [(await opened.collect(n))[0].table for n in range(4)]

    assert all(table is tables[0] for table in tables)


@pytest.mark.parametrize(
    ("handler", "reason"),
    [
        (answering(b"oh no", status=500), "status"),
        (answering(FINE, status=204), "status"),
        (answering(b"<html><body>Welcome</body></html>", content_type="text/html"), "malformed"),
        (answering(b"<html><body>Welcome</body></html>"), "malformed"),
        (answering(b"\x00\xff garbage \x01\n"), "malformed"),
        (answering(b"{}", content_type="application/json"), "malformed"),
        (answering(FINE, content_type="application/openmetrics-text; version=1.0.0"), "malformed"),
        (answering(b"# padding\n" * 30_000), "too_large"),
        (endless, "too_large"),
        (zipped(b"\n" * 50_000_000), "too_large"),
        (answering(b"this was never compressed", Content_Encoding="gzip"), "encoding"),
        (answering(gzip.compress(FINE)[:-9], Content_Encoding="gzip"), "encoding"),
        (answering(FINE, Content_Encoding="br"), "encoding"),
        (breaking_off, "failed"),
        (hanging_up, "failed"),
    ],
)
async def test_an_answer_that_cannot_be_used_is_down_with_its_reason(handler: Handler, reason: str) -> None:
    batch = await scraped(handler)

    assert (batch.up, batch.reason) == (False, reason)
    assert batch.table.series == ()
    assert len(batch.values) == len(batch.created) == 0


@pytest.mark.parametrize("handler", [silent, dripping])
async def test_what_does_not_end_in_time_is_a_timeout(handler: Handler) -> None:
    batch = await scraped(handler, HASTY)

    assert (batch.up, batch.reason) == (False, "timeout")


async def test_a_port_without_a_server_is_refused() -> None:
    async with source(PATIENT, nobody_there()) as opened:
        (batch,) = await opened.collect(0)

    assert (batch.up, batch.reason) == (False, "refused")


@pytest.mark.parametrize("url", ["http://nowhere.invalid/metrics", "no url at all", "http://127.0.0.1:99999/metrics"])
async def test_a_target_that_cannot_exist_is_failed(url: str) -> None:
    async with source(PATIENT, url) as opened:
        (batch,) = await opened.collect(0)

    assert (batch.up, batch.reason) == (False, "failed")
    assert opened.faults[url]


async def test_one_target_that_hangs_delays_nobody_beyond_the_timeout() -> None:
    async with AsyncExitStack() as stack:
        urls = [await stack.enter_async_context(served(handler)) for handler in (silent, answering(FINE), dripping)]
        opened = await stack.enter_async_context(source(HASTY, *urls))
        began = time.monotonic()
        batches = await opened.collect(0)
        took = time.monotonic() - began

    assert [batch.target for batch in batches] == urls
    assert [batch.reason for batch in batches] == ["timeout", "", "timeout"]
    assert took < 5 * HASTY.timeout / 1_000


async def test_a_fast_answer_is_dated_before_a_slow_one_ends() -> None:
    async with AsyncExitStack() as stack:
        urls = [await stack.enter_async_context(served(handler)) for handler in (silent, answering(FINE))]
        opened = ScrapeSource(replace(HASTY, targets=tuple(urls)), everything, AnchoredClock(), read_secret)
        stack.push_async_callback(opened.close)
        slow, fast = await opened.collect(0)

    assert slow.at - fast.at >= HASTY.timeout // 2


async def test_a_target_is_up_again_as_soon_as_it_answers() -> None:
    answers = iter([answering(FINE), answering(b"garbage", status=200), answering(FINE)])

    async def handle(request: web.Request) -> web.StreamResponse:
        return await next(answers)(request)

    async with served(handle) as url, source(PATIENT, url) as opened:
        first, second, third = [(await opened.collect(n))[0] for n in range(3)]

        assert opened.faults == {}
    assert [first.up, second.up, third.up] == [True, False, True]
    assert third.table is first.table


async def test_a_connection_that_the_server_closed_between_two_scrapes_costs_no_scrape() -> None:
    connections: list[object] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        if request.transport in connections:
            return await hanging_up(request)
        connections.append(request.transport)
        return web.Response(body=FINE)

    async with served(handle) as url, source(PATIENT, url) as opened:
        batches = [(await opened.collect(n))[0] for n in range(3)]

    assert [batch.up for batch in batches] == [True, True, True]


async def test_samples_that_are_no_counts_are_shown_while_their_target_is_up() -> None:
    answers = iter([answering(of_lines("a NaN", "b 1")), answering(b"", status=500)])

    async def handle(request: web.Request) -> web.StreamResponse:
        return await next(answers)(request)

    async with served(handle) as url, source(PATIENT, url) as opened:
        await opened.collect(0)
        while_up = opened.left_out
        await opened.collect(1)

        assert (while_up, opened.left_out) == ({url: 1}, {})


async def test_a_gzipped_page_is_unpacked() -> None:
    assert (await scraped(zipped(FINE))).values.tolist() == [3.0, 1.0]


async def test_a_page_gzipped_in_two_parts_is_unpacked_whole() -> None:
    two = gzip.compress(FINE[:20]) + gzip.compress(FINE[20:])

    assert (await scraped(answering(two, Content_Encoding="gzip"))).values.tolist() == [3.0, 1.0]


@pytest.mark.parametrize("size", [65_535, 65_536, 65_537, 131_072, 199_000])
async def test_a_gzipped_page_of_any_size_arrives_whole(size: int) -> None:
    page = b"#" * (size - len(FINE) - 1) + b"\n" + FINE

    assert (await scraped(zipped(page))).values.tolist() == [3.0, 1.0]


async def test_a_large_page_is_read_like_a_small_one() -> None:
    lines = [f'a_total{{n="{n}"}} {n}' for n in range(20_000)]
    batch = await scraped(answering(of_lines(*lines)), replace(PATIENT, max_bytes=10_000_000))

    assert batch.values.sum() == sum(range(20_000))


async def test_a_page_of_exactly_the_cap_is_read_and_one_byte_more_is_not() -> None:
    exact = await scraped(answering(FINE), replace(PATIENT, max_bytes=len(FINE)))
    less = await scraped(answering(FINE), replace(PATIENT, max_bytes=len(FINE) - 1))

    assert (exact.up, less.reason) == (True, "too_large")


async def test_the_token_and_what_is_accepted_are_said() -> None:
    seen: list[web.Request] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        seen.append(request)
        return web.Response(body=FINE)

    await scraped(handle, replace(PATIENT, bearer=Secret(env="TOKEN")))

    assert seen[0].headers["Authorization"] == "Bearer value of TOKEN"
    assert "openmetrics" in seen[0].headers["Accept"]
    assert "text/plain;version=0.0.4" in seen[0].headers["Accept"]
    assert seen[0].headers["Accept-Encoding"] == "gzip"


async def test_a_token_that_cannot_be_read_is_a_failed_scrape() -> None:
    def missing(_secret: Secret) -> str:
        raise SecretUnreadable("no such file")

    async with served(answering(FINE)) as url:
        settings = replace(PATIENT, targets=(url,), bearer=Secret(file="/nowhere"))
        opened = ScrapeSource(settings, everything, ManualClock(), missing)
        (batch,) = await opened.collect(0)
        await opened.close()

    assert (batch.up, batch.reason) == (False, "failed")


def redirecting(to: Callable[[web.Request], str]) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        if request.path == "/real":
            return web.Response(body=FINE)
        return web.Response(status=302, headers={"Location": to(request)})

    return handle


async def test_a_redirect_on_the_same_host_is_followed() -> None:
    assert (await scraped(redirecting(lambda _: "/real"))).up


async def test_a_redirect_to_another_host_is_not_followed_and_tells_it_nothing() -> None:
    asked: list[str] = []

    async def elsewhere(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        return web.Response(body=FINE)

    async with served(elsewhere) as other:
        batch = await scraped(redirecting(lambda _: other))

    assert (batch.up, batch.reason, asked) == (False, "status", [])


async def test_redirects_in_a_circle_end() -> None:
    batch = await scraped(redirecting(lambda request: request.path + "x"))

    assert (batch.up, batch.reason) == (False, "status")


async def test_cancelling_a_collect_cancels_it() -> None:
    async with served(silent) as url, source(PATIENT, url) as opened:
        collecting = asyncio.create_task(opened.collect(0))
        await asyncio.sleep(0)
        collecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await collecting


async def test_what_prometheus_client_exposes_is_read_with_its_created_timestamps() -> None:
    registry = prometheus_client.CollectorRegistry()
    jobs = prometheus_client.Counter("jobs", "Jobs.", ["kind"], registry=registry)
    seconds = prometheus_client.Histogram("seconds", 'Sec"onds\\.', ["route"], registry=registry, buckets=(0.1, 0.2))
    jobs.labels('nas"ty\n\\ {}').inc(7)
    seconds.labels("/api/{id}").observe(0.15, {"trace_id": "abc"})
    before = time.time() * 1_000

    async def handle(request: web.Request) -> web.StreamResponse:
        encoder, content_type = prometheus_client.exposition.choose_encoder(request.headers["Accept"])
        return web.Response(body=encoder(registry), headers={"Content-Type": content_type})

    batch = await scraped(handle)

    found = dict(zip(((one.name, one.labels) for one in batch.table.series), batch.values.tolist(), strict=True))
    assert found[("jobs_total", (("kind", 'nas"ty\n\\ {}'),))] == 7.0
    assert found[("seconds_bucket", (("le", "0.1"), ("route", "/api/{id}")))] == 0.0
    assert found[("seconds_bucket", (("le", "0.2"), ("route", "/api/{id}")))] == 1.0
    assert found[("seconds_count", (("route", "/api/{id}"),))] == 1.0
    dates = zip(batch.table.series, batch.created.tolist(), strict=True)
    born = [date for one, date in dates if not one.name.endswith("_created")]
    assert born
    assert all(before - 60_000 < date <= before + 60_000 for date in born)
    assert batch.table.families >= {"jobs", "seconds"}
