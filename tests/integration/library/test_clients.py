"""Outgoing calls carry the trace context, and the migration mark where the callee is trusted."""

from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
import httpx
import pytest
import requests
from aiohttp import web

from figwatch import contract
from figwatch.client import aiohttp as aiohttp_adapter
from figwatch.client import httpx as httpx_adapter
from figwatch.client import requests as requests_adapter
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


def sent_by_httpx(token: str | None) -> httpx.Headers:
    sent: list[httpx.Headers] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers)
        return httpx.Response(200)

    with httpx.Client(transport=httpx.MockTransport(answer)) as client:
        httpx_adapter.instrument(client, trust_token=token).get("http://callee/")
    return sent[0]


def test_an_httpx_client_sends_the_context_and_no_secret() -> None:
    with serving() as trace_id:
        headers = sent_by_httpx(None)
    assert headers["traceparent"].split("-")[1] == trace_id
    assert contract.MIGRATION_TOKEN_HEADER not in headers
    assert contract.MIGRATION_STATUS_HEADER not in headers


def test_a_client_of_a_trusted_callee_passes_the_side_on() -> None:
    with serving():
        headers = sent_by_httpx("s3cret")
    assert headers[contract.MIGRATION_STATUS_HEADER] == "shadow"
    assert headers[contract.MIGRATION_TOKEN_HEADER] == "s3cret"


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
    with requests.Session() as session, serving() as trace_id:
        prepared = requests_adapter.instrument(session).prepare_request(requests.Request("GET", "http://callee/"))
    assert prepared.headers["traceparent"].split("-")[1] == trace_id


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
