"""Probes and readings of real servers on loopback."""

import asyncio
import errno
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import aiohttp
import pytest
from aiohttp import web

from figwatch_agent.clock import AnchoredClock, ManualClock
from figwatch_agent.model.batch import ProbeResult, Reading
from figwatch_agent.model.plan import HttpCall
from figwatch_agent.model.secret import Secret
from figwatch_agent.model.slo import Probe
from figwatch_agent.sources.prober import HttpProber
from figwatch_agent.sources.questions import ProbeQuestion, Question, ReadingQuestion
from support.scrape_targets import Handler, answering, endless, hanging_up, nobody_there, served, silent

HOUR = 3_600_000
Answers = tuple[tuple[ProbeResult, ...], tuple[Reading, ...]]


def read_secret(secret: Secret) -> str:
    return f"value of {secret.env}"


def probe(url: str, timeout: int = 10_000, interval: int = HOUR) -> ProbeQuestion:
    return ProbeQuestion(slo="chat-uptime", probe=Probe(http=url, interval=interval, timeout=timeout))


def reading(url: str, fields: tuple[str, ...] | None = None, timeout: int = 10_000) -> ReadingQuestion:
    call = HttpCall(method="GET", url=url, headers=(("Authorization", Secret(env="TOKEN")),))
    return ReadingQuestion(name="plan/gateway", call=call, fields=fields, interval=HOUR, timeout=timeout)


@asynccontextmanager
async def running(prober: HttpProber) -> AsyncIterator[None]:
    task = asyncio.create_task(prober.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def answers(prober: HttpProber, wanted: int = 1) -> Answers:
    """What comes within ten seconds, as soon as there are so many answers."""
    probes: tuple[ProbeResult, ...] = ()
    readings: tuple[Reading, ...] = ()
    deadline = time.monotonic() + 10
    async with running(prober):
        while len(probes) + len(readings) < wanted:
            assert time.monotonic() < deadline, f"only {probes} and {readings} were answered"
            more = prober.drain()
            probes, readings = probes + more[0], readings + more[1]
            await asyncio.sleep(0.005)
    return probes, readings


async def asked(question: Question) -> ProbeResult | Reading:
    probes, readings = await answers(HttpProber([question], ManualClock(7_000), read_secret))
    return probes[0] if probes else readings[0]


@pytest.mark.parametrize(("status", "up"), [(200, True), (204, True), (302, False), (404, False), (503, False)])
async def test_2xx_is_up_and_any_other_answer_is_down(status: int, up: bool) -> None:
    async with served(answering(b"", status=status, Location="/elsewhere")) as url:
        result = await asked(probe(url))

    assert result == ProbeResult(slo="chat-uptime", at=7_000, up=up, detail=f"{status} in 0 ms")


@pytest.mark.parametrize("handler", [silent, hanging_up])
async def test_no_answer_is_down(handler: Handler) -> None:
    async with served(handler) as url:
        result = await asked(probe(url, timeout=200))

    assert isinstance(result, ProbeResult)
    assert not result.up
    assert result.detail


async def test_a_refused_connection_is_down() -> None:
    result = await asked(probe(nobody_there()))

    assert result == ProbeResult(slo="chat-uptime", at=7_000, up=False, detail="connection refused")


async def test_an_endless_body_does_not_make_a_probe_wait() -> None:
    async with served(endless) as url:
        result = await asked(probe(url))

    assert isinstance(result, ProbeResult)
    assert result.up


async def test_a_gateway_reading_carries_the_members_that_count() -> None:
    seen: list[str] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        seen.append(request.headers["Authorization"])
        return web.json_response({"route": {"to": "service"}, "revision": 4, "served": 12})

    async with served(handle) as url:
        result = await asked(reading(url, fields=("route.to", "revision")))

    assert isinstance(result, Reading)
    assert (result.name, result.ok, result.value) == ("plan/gateway", True, '{"revision":4,"route.to":"service"}')
    assert seen == ["value of TOKEN"]


async def test_a_reading_without_fields_is_ok_by_its_status_alone() -> None:
    async with served(answering(b"not JSON")) as url:
        result = await asked(reading(url))

    assert isinstance(result, Reading)
    assert (result.ok, result.value) == (True, "")


@pytest.mark.parametrize(
    ("handler", "why"),
    [
        (answering(b'{"to": 1}', status=500), "answered 500"),
        (answering(b'{"to": 1}'), "no member 'route'"),
        (answering(b"<html>"), "not JSON"),
        (answering(b'{"route": NaN}'), "NaN"),
        (endless, "more than"),
        (silent, "within 300ms"),
        (hanging_up, "closed"),
    ],
)
async def test_a_reading_that_does_not_say_what_counts_is_not_ok(handler: Handler, why: str) -> None:
    async with served(handler) as url:
        result = await asked(reading(url, fields=("route",), timeout=300 if handler is silent else 10_000))

    assert isinstance(result, Reading)
    assert (result.ok, result.value) == (False, "")
    assert why in result.detail


async def test_a_call_with_a_body_sends_it() -> None:
    seen: list[tuple[str, str, bytes]] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        seen.append((request.method, request.content_type, await request.read()))
        return web.Response()

    async with served(handle) as url:
        call = HttpCall(method="POST", url=url, json='{"a":1}')
        await asked(ReadingQuestion(name="p/precondition-0", call=call))

    assert seen == [("POST", "application/json", b'{"a":1}')]


async def test_questions_are_asked_at_once_and_one_that_hangs_delays_no_other() -> None:
    async with served(silent) as hanging, served(answering(b"")) as fine:
        prober = HttpProber([probe(hanging, timeout=60_000), probe(fine)], AnchoredClock(), read_secret)
        probes, _ = await answers(prober)

    assert [result.up for result in probes] == [True]


async def test_a_question_is_asked_again_at_its_interval() -> None:
    async with served(answering(b"")) as url:
        prober = HttpProber([probe(url, interval=50)], AnchoredClock(), read_secret)
        probes, _ = await answers(prober, wanted=4)

    times = [result.at for result in probes]
    assert times == sorted(times)
    assert times[3] - times[0] >= 100


async def test_a_prober_without_a_question_runs_until_cancelled() -> None:
    task = asyncio.create_task(HttpProber([], AnchoredClock(), read_secret).run())
    done, _ = await asyncio.wait([task], timeout=0.2)
    assert not done
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert task.cancelled()


async def test_what_was_cancelled_gives_nothing() -> None:
    async with served(silent) as url:
        prober = HttpProber([probe(url), reading(url)], AnchoredClock(), read_secret)
        async with running(prober):
            await asyncio.sleep(0)

    assert prober.drain() == ((), ())


async def test_drained_answers_are_handed_out_once() -> None:
    async with served(answering(b"")) as url:
        prober = HttpProber([probe(url)], ManualClock(), read_secret)
        await answers(prober)

    assert prober.drain() == ((), ())


class Unable(aiohttp.BaseConnector):
    """A machine without file descriptors."""

    def __init__(self) -> None:
        super().__init__()
        self.tried = 0

    async def connect(self, *_: object, **__: object) -> aiohttp.connector.Connection:
        self.tried += 1
        raise OSError(errno.EMFILE, "Too many open files")


async def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


async def test_a_probe_that_we_could_not_ask_gives_nothing() -> None:
    unable = Unable()

    def session() -> aiohttp.ClientSession:
        return aiohttp.ClientSession(connector=unable)

    rest = Rest()
    prober = HttpProber([probe("http://127.0.0.1:1/")], AnchoredClock(), read_secret, session=session, sleep=rest)
    async with running(prober):
        await rest.begun()

    assert unable.tried > 0
    assert prober.drain() == ((), ())


async def test_a_timeout_noticed_by_a_process_that_stood_still_gives_nothing() -> None:
    clock = ManualClock()
    arrived = asyncio.Event()

    async def handle(request: web.Request) -> web.StreamResponse:
        clock.advance(60_000)  # as if the process had been stopped for a minute in the middle of the question
        arrived.set()
        return await silent(request)

    rest = Rest()
    async with served(handle) as url:
        prober = HttpProber([probe(url, timeout=200)], clock, read_secret, sleep=rest)
        async with running(prober):
            await rest.begun()

    assert arrived.is_set()
    assert prober.drain() == ((), ())


class Rest:
    """A sleep without end; that it has begun says that the question was asked and dealt with."""

    def __init__(self) -> None:
        self._begun = asyncio.Event()

    async def __call__(self, _seconds: float) -> None:
        self._begun.set()
        await asyncio.Event().wait()

    async def begun(self) -> None:
        """Wait for it, ten seconds at most."""
        await asyncio.wait_for(self._begun.wait(), 10)


async def _for_ever(_seconds: float) -> None:
    await asyncio.Event().wait()


async def test_beats_that_were_missed_are_not_made_up_for() -> None:
    clock = ManualClock(1_000)
    slow = iter([0, 2_500, 0, 0, 0])
    waits: list[float] = []

    async def handle(_request: web.Request) -> web.StreamResponse:
        clock.advance(next(slow, 0))
        return web.Response()

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        clock.advance(round(seconds * 1_000))
        if len(waits) == 4:
            await _for_ever(0)

    async with served(handle) as url:
        prober = HttpProber([probe(url, interval=1_000)], clock, read_secret, sleep=sleep)
        async with running(prober):
            await until(lambda: len(waits) == 4)

    assert waits == [1.0, 0.5, 1.0, 1.0]
