"""Outgoing calls carry the trace context, and the migration mark where the callee is trusted."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import aiohttp
import httpx
import pytest
import requests
from aiohttp import web

from figwatch import contract
from figwatch.client import aiohttp as aiohttp_adapter
from figwatch.client import httpx as httpx_adapter
from figwatch.client import requests as requests_adapter
from figwatch.errors import DefinitionError
from figwatch.gateway import Decision, Edge
from figwatch.testing import recording
from support.library import aiohttp_client, fresh_telemetry

SHADOW = Decision(route_template="/a", side="shadow")


@contextmanager
def serving() -> Iterator[str]:
    """While serving a request; gives its trace id."""
    with Edge(telemetry=fresh_telemetry()).observe("GET", "/a", SHADOW) as seen:
        assert seen.trace_id is not None
        yield seen.trace_id


def sent_by_httpx(token: str | None, url: str = "http://callee/") -> httpx.Headers:
    sent: list[httpx.Headers] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers)
        return httpx.Response(200)

    with httpx.Client(transport=httpx.MockTransport(answer)) as client:
        hosts = ("callee", "*.inside") if token else ()
        httpx_adapter.instrument(client, trust_token=token, hosts=hosts).get(url)
    return sent[0]


def test_an_httpx_client_sends_the_context_and_no_secret() -> None:
    with serving() as trace_id:
        headers = sent_by_httpx(None)
    assert headers["traceparent"].split("-")[1] == trace_id
    assert contract.MIGRATION_TOKEN_HEADER not in headers
    assert contract.MIGRATION_STATUS_HEADER not in headers


@pytest.mark.parametrize("url", ["http://callee/", "http://CALLEE:8080/", "http://models.inside/a"])
def test_a_client_of_a_trusted_callee_passes_the_side_on(url: str) -> None:
    with serving():
        headers = sent_by_httpx("s3cret", url)
    assert headers[contract.MIGRATION_STATUS_HEADER] == "shadow"
    assert headers[contract.MIGRATION_TOKEN_HEADER] == "s3cret"


@pytest.mark.parametrize("url", ["http://elsewhere/", "http://notcallee/", "http://inside/", "http://callee.evil/"])
def test_a_host_that_is_not_named_never_sees_the_secret(url: str) -> None:
    with serving():
        headers = sent_by_httpx("s3cret", url)
    assert "traceparent" in headers
    assert contract.MIGRATION_TOKEN_HEADER not in headers
    assert contract.MIGRATION_STATUS_HEADER not in headers


async def test_no_client_carries_the_secret_along_a_redirect_to_another_host() -> None:
    seen: dict[str, dict[str, bool]] = {}

    async def handle(request: web.Request) -> web.Response:
        client = request.query["client"]
        seen.setdefault(client, {})[request.url.host or ""] = contract.MIGRATION_TOKEN_HEADER in request.headers
        if request.path == "/go":
            raise web.HTTPFound(f"http://localhost:{request.url.port}/there?client={client}")
        return web.Response()

    app = web.Application()
    app.router.add_get("/{path}", handle)
    named: dict[str, Any] = {"trust_token": "s3cret", "hosts": ("127.0.0.1",)}
    async with aiohttp_client(app) as server:
        url = f"http://127.0.0.1:{server.port}/go?client="
        with serving():
            configs = [aiohttp_adapter.trace_config(**named)]
            async with aiohttp.ClientSession(trace_configs=configs) as session, session.get(url + "aiohttp"):
                pass
            async with httpx.AsyncClient(follow_redirects=True) as client:
                await httpx_adapter.instrument_async(client, **named).get(url + "httpx")
            with requests.Session() as plain:
                await asyncio.to_thread(requests_adapter.instrument(plain, **named).get, url + "requests")
    assert seen == {client: {"127.0.0.1": True, "localhost": False} for client in ("aiohttp", "httpx", "requests")}


@pytest.mark.parametrize("wrong", [{"hosts": ("callee",)}, {"hosts": "callee", "trust_token": "x"}])
def test_who_gets_the_mark_is_checked_at_set_up(wrong: dict[str, Any]) -> None:
    with pytest.raises(DefinitionError, match="hosts"):
        aiohttp_adapter.trace_config(**wrong)


def test_outside_of_a_request_a_client_sends_nothing_of_ours() -> None:
    headers = sent_by_httpx("s3cret")
    assert "traceparent" not in headers
    assert contract.MIGRATION_TOKEN_HEADER not in headers


async def test_an_asynchronous_httpx_client_sends_the_context() -> None:
    sent: list[httpx.Headers] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers)
        return httpx.Response(200)

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        with serving() as trace_id:
            await httpx_adapter.instrument_async(client).get("http://callee/")
    assert sent[0]["traceparent"].split("-")[1] == trace_id


def test_a_requests_session_sends_the_context() -> None:
    sent: list[requests.PreparedRequest] = []

    class Nowhere(requests.adapters.BaseAdapter):
        def send(self, request: requests.PreparedRequest, *_: Any, **_more: Any) -> requests.Response:
            sent.append(request)
            answer = requests.Response()
            answer.status_code, answer.url, answer.request = 200, str(request.url), request
            answer.raw = BytesIO()
            return answer

        def close(self) -> None:
            pass

    with requests.Session() as session, serving() as trace_id:
        session.mount("http://", Nowhere())
        requests_adapter.instrument(session).get("http://callee/")
    assert sent[0].headers["traceparent"].split("-")[1] == trace_id


async def test_an_aiohttp_session_sends_the_context() -> None:
    sent: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        sent.append(request.headers["traceparent"])
        return web.Response()

    app = web.Application()
    app.router.add_get("/", handle)
    async with (
        aiohttp_client(app) as server,
        aiohttp.ClientSession(trace_configs=[aiohttp_adapter.trace_config()]) as session,
    ):
        with serving() as trace_id:
            async with session.get(server.make_url("/")):
                pass
    assert sent[0].split("-")[1] == trace_id


def test_a_fault_in_making_the_headers_does_not_stop_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("planted")

    monkeypatch.setattr("figwatch.client.mark.outgoing", broken)
    with recording() as recorded:
        assert "traceparent" not in sent_by_httpx(None)
    assert recorded.faults() == 1
