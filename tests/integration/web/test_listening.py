"""The agent's own socket: how many, how slow, and in which language."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

import aiohttp
import pytest
from aiohttp import web

from figwatch_agent.errors import FigwatchError
from figwatch_agent.model.settings import Tls
from figwatch_agent.web import guard
from figwatch_agent.web.caps import Cap, Caps
from figwatch_agent.web.deps import Gate
from figwatch_agent.web.listening import TlsUnusable, listening, tls_context
from support.agent_site import OPERATE, UNCAPPED, Site, bearer, serving
from support.certificates import certificate

DEADLINE = 5.0


async def _answer(request: web.Request) -> web.Response:
    return web.Response(text="here")


async def _slow(request: web.Request) -> web.Response:
    await asyncio.sleep(0.6)
    return web.Response(text="late")


@asynccontextmanager
async def site(context: ssl.SSLContext | None = None, *, most: int = 100, idle: float = 20.0) -> AsyncIterator[str]:
    """A server of two paths on a free port."""
    app = web.Application()
    app.router.add_get("/", _answer)
    app.router.add_get("/slow", _slow)
    async with listening(app, "127.0.0.1", 0, context, "a test", most=most, idle=idle) as url:
        yield url


async def opened(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A bare connection."""
    host, port = url.removeprefix("http://").split(":")
    return await asyncio.open_connection(host, int(port))


async def ended(reader: asyncio.StreamReader) -> bool:
    """Whether the other side closes in time."""
    try:
        async with asyncio.timeout(DEADLINE):
            while await reader.read(1000):
                pass
    except ConnectionError:
        return True
    return reader.at_eof()


async def test_it_says_where_it_listens_and_answers_there() -> None:
    async with site() as url, aiohttp.ClientSession() as session, session.get(url) as answer:
        assert await answer.text() == "here"


async def test_an_address_that_is_taken_is_named_with_the_key_that_names_it() -> None:
    async with site() as url:
        port = int(url.rpartition(":")[2])
        with pytest.raises(FigwatchError, match=rf"cannot listen on 127\.0\.0\.1:{port} \(a test\)"):
            async with listening(web.Application(), "127.0.0.1", port, None, "a test"):
                pass


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "], ids=["silent", "half a request"])
async def test_a_connection_without_a_request_is_closed_however_it_dawdles(sent: bytes) -> None:
    async with site(idle=0.3) as url:
        reader, writer = await opened(url)
        writer.write(sent)
        dribble = asyncio.create_task(_dribble(writer))
        assert await ended(reader)
        dribble.cancel()
        writer.close()


async def _dribble(writer: asyncio.StreamWriter) -> None:
    """One byte of a header now and then, as the attack of that name does."""
    while True:
        await asyncio.sleep(0.05)
        writer.write(b"a")


async def test_a_request_that_takes_longer_than_that_is_answered() -> None:
    async with site(idle=0.2) as url, aiohttp.ClientSession() as session, session.get(url + "/slow") as answer:
        assert await answer.text() == "late"


async def test_after_an_answer_the_connection_may_be_used_again_and_is_closed_when_idle() -> None:
    async with site(idle=0.4) as url:
        reader, writer = await opened(url)
        for _ in range(2):
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            async with asyncio.timeout(DEADLINE):
                assert await reader.readuntil(b"here")
        assert await ended(reader)
        writer.close()


async def test_one_connection_too_many_is_closed_and_those_before_it_are_served(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with site(most=3) as url:
        held = [await opened(url) for _ in range(3)]
        reader, writer = await opened(url)
        assert await ended(reader)
        writer.close()
        first_reader, first_writer = held[0]
        first_writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert b"here" in await first_reader.read()
        again, other = await opened(url)  # there is room for one again
        other.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert b"here" in await again.read()
        for _, each in [*held, (again, other)]:
            each.close()


async def test_a_header_longer_than_eight_kib_is_refused() -> None:
    async with site() as url, aiohttp.ClientSession() as session:
        assert (await session.get(url, headers={"X-Long": "x" * 9000})).status == 400


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Tls]:
    """Makes certificates for 127.0.0.1, by name."""
    return partial(certificate, tmp_path_factory.mktemp("tls"))


@pytest.mark.needs("openssl")
async def test_with_a_certificate_it_speaks_https_and_nothing_older_than_tls_1_2(pair: Callable[[str], Tls]) -> None:
    tls = pair("agent")
    trust, context = ssl.create_default_context(cafile=tls.certificate), tls_context(tls)
    assert context is not None
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    async with site(context) as url, aiohttp.ClientSession() as session:
        assert url.startswith("https://")
        async with session.get(url, ssl=trust) as answer:
            assert await answer.text() == "here"


@pytest.mark.needs("openssl")
def test_a_key_of_another_certificate_is_refused_with_both_names(pair: Callable[[str], Tls]) -> None:
    mixed = Tls(certificate=pair("agent").certificate, key=pair("other").key)
    with pytest.raises(TlsUnusable, match=r"web\.tls: .*agent\.pem with .*other\.key"):
        tls_context(mixed)


def test_a_certificate_that_is_not_there_is_refused_with_its_name() -> None:
    with pytest.raises(TlsUnusable, match=r"/nowhere\.pem .*No such file"):
        tls_context(Tls(certificate="/nowhere.pem", key="/nowhere.key"))


async def test_one_address_that_asks_too_often_waits_and_others_do_not() -> None:
    caps = Caps(requests=Cap(burst=3, every=1000), changes=UNCAPPED.changes, failures=UNCAPPED.failures)
    asked = Site(gate=Gate(caps=caps, trusted_proxies=("127.0.0.1",)))
    async with serving(asked) as client:
        near, far = ({"X-Forwarded-For": f"192.0.2.{number}"} for number in (1, 2))
        assert [(await client.get("/healthz", headers=near)).status for _ in range(4)] == [200, 200, 200, 429]
        refused = await client.get("/healthz", headers=near)
        assert refused.headers["Retry-After"] == "1"
        assert (await client.get("/healthz", headers=far)).status == 200
        asked.clock.advance(1000)
        assert (await client.get("/healthz", headers=near)).status == 200


async def test_changes_have_a_cap_of_their_own() -> None:
    caps = Caps(requests=UNCAPPED.requests, changes=Cap(burst=2, every=1000), failures=UNCAPPED.failures)
    async with serving(Site(gate=Gate(caps=caps))) as client:
        body = {"kind": "acknowledge", "subject": "x"}
        found = [(await client.post("/api/v1/commands", json=body, headers=bearer())).status for _ in range(3)]
        assert found == [202, 202, 429]
        assert (await client.get("/healthz")).status == 200


async def test_a_path_or_query_that_is_too_long_is_refused() -> None:
    async with serving(Site()) as client:
        assert (await client.get("/healthz?" + "x" * 5000)).status == 414


async def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "BODY_TIMEOUT", 0.2)
    async with serving(Site()) as client:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        writer.write(
            b"POST /api/v1/commands HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n"
            b"Authorization: Bearer " + OPERATE.encode() + b"\r\n\r\n{"
        )
        async with asyncio.timeout(DEADLINE):
            assert b" 408 " in await reader.readline()
        writer.close()
