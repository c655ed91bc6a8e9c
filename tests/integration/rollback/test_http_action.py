"""Real requests of plans, to a server that answers as it is told."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web

from figwatch_agent.demo import child
from figwatch_agent.durations import SECOND
from figwatch_agent.errors import SecretUnreadable
from figwatch_agent.model.journal import ActionResult, ActionResultKind
from figwatch_agent.model.plan import Call, HttpCall
from figwatch_agent.model.secret import Secret
from figwatch_agent.rollback.build import probes, steps

DONE, FAILED, UNKNOWN = ActionResultKind.DONE, ActionResultKind.FAILED, ActionResultKind.UNKNOWN
PLANTED = "planted-7f3a9c-secret"


@dataclass(slots=True)
class Server:
    """Remembers what it was asked, and answers with one status, or not at all."""

    url: str = ""
    status: int = 200
    silent: bool = False
    seen: list[tuple[str, dict[str, str], str]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.seen.append((request.method, dict(request.headers), await request.text()))
        if self.silent and request.transport is not None:
            request.transport.abort()
        location = {"Location": "/elsewhere"} if 300 <= self.status < 400 else {}
        said = f"to legacy, said {request.headers.get('Authorization', 'nobody')}"
        return web.Response(status=self.status, text=said, headers=location)


@pytest.fixture(name="server")
async def _server() -> AsyncIterator[Server]:
    server = Server()
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", server.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    bound = child.bind()
    try:
        await web.SockSite(runner, bound).start()
        server.url = f"http://{child.LOOPBACK}:{bound.getsockname()[1]}/routes"
        yield server
    finally:
        await runner.cleanup()
        bound.close()


async def run(call: Call, *, key: str = "key-1", probe: bool = False, deadline: int = 2 * SECOND) -> ActionResult:
    async with aiohttp.ClientSession() as session:
        make = probes if probe else steps
        return await make(session, lambda secret: PLANTED, {}).run(call, key=key, deadline=deadline)


def post(server: Server) -> HttpCall:
    secret = ("Authorization", Secret(env="TOKEN"))
    return HttpCall(method="POST", url=server.url, json='{"to":"legacy"}', headers=(secret, ("X-Reason", "rollback")))


async def test_a_call_carries_its_body_its_headers_its_key_and_who_makes_it(server: Server) -> None:
    assert (await run(post(server))).kind is DONE
    ((method, headers, body),) = server.seen
    assert (method, json.loads(body)) == ("POST", {"to": "legacy"})
    wanted = {
        "Authorization": PLANTED,
        "X-Reason": "rollback",
        "Idempotency-Key": "key-1",
        "X-Changed-By": "figwatch",
        "Content-Type": "application/json",
    }
    assert wanted.items() <= headers.items()


async def test_a_call_without_a_key_sends_none(server: Server) -> None:
    await run(HttpCall(method="GET", url=server.url), key="")
    assert "Idempotency-Key" not in server.seen[0][1]


async def test_the_answer_comes_back_without_the_secret_in_its_detail(server: Server) -> None:
    result = await run(post(server))
    assert result.detail == "HTTP 200: to legacy, said ***"


@pytest.mark.parametrize(
    ("status", "step", "probe"),
    [
        (200, DONE, DONE),
        (204, DONE, DONE),
        (302, FAILED, UNKNOWN),  # not followed
        (400, FAILED, FAILED),
        (401, FAILED, UNKNOWN),  # a probe that may not ask knows nothing
        (404, FAILED, FAILED),
        (408, UNKNOWN, UNKNOWN),
        (429, UNKNOWN, UNKNOWN),
        (500, UNKNOWN, UNKNOWN),
        (502, UNKNOWN, UNKNOWN),
    ],
)
async def test_a_status_means_one_thing_for_a_step_and_another_for_a_probe(
    server: Server, status: int, step: ActionResultKind, probe: ActionResultKind
) -> None:
    server.status = status
    assert (await run(post(server))).kind is step
    assert (await run(post(server), probe=True)).kind is probe
    assert len(server.seen) == 2


async def test_a_lost_answer_leaves_the_outcome_unknown(server: Server) -> None:
    server.silent = True
    assert (await run(post(server))).kind is UNKNOWN


async def test_no_answer_within_the_deadline_leaves_the_outcome_unknown() -> None:
    bound = child.bind()
    bound.listen()
    try:
        url = f"http://{child.LOOPBACK}:{bound.getsockname()[1]}/"
        assert (await run(HttpCall(method="POST", url=url), deadline=200)).kind is UNKNOWN
    finally:
        bound.close()


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://nobody.invalid/", "nonsense", "ftp://127.0.0.1/"])
async def test_what_was_never_sent_has_failed_as_a_step_and_says_nothing_as_a_probe(url: str) -> None:
    call = HttpCall(method="POST", url=url)
    assert (await run(call)).kind is FAILED
    assert (await run(call, probe=True)).kind is UNKNOWN


async def test_a_secret_that_cannot_be_read_is_named_and_nothing_is_sent(server: Server) -> None:
    def missing(secret: Secret) -> str:
        raise SecretUnreadable(f"{secret} is empty")

    async with aiohttp.ClientSession() as session:
        result = await steps(session, missing, {}).run(post(server), key="k", deadline=SECOND)
    assert result.kind is FAILED
    assert "TOKEN" in result.detail
    assert server.seen == []
