"""The engine's HTTP API, by both readers: what is sent, and what every kind of answer is taken for."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from figwatch_agent.errors import SecretUnreadable
from figwatch_agent.model.secret import Secret
from figwatch_agent.sources.fault import Fault
from figwatch_agent.sources.prometheus_asking import PrometheusReader, RetryBudget
from support.readers import Made, reading
from support.scrape_targets import Handler, answering, breaking_off, dripping, hanging_up, nobody_there, silent, zipped
from support.served import everywhere, served

EMPTY = {"resultType": "vector", "result": []}


def success(data: object = EMPTY, **more: object) -> bytes:
    return json.dumps({"status": "success", "data": data, **more}).encode()


def refusal(kind: str, error: str) -> bytes:
    return json.dumps({"status": "error", "errorType": kind, "error": error}).encode()


@asynccontextmanager
async def api(made: Made, handler: Handler, **settings: Any) -> AsyncIterator[PrometheusReader]:
    async with (
        served(everywhere(handler)) as url,
        reading(made, url + "/prefix/", **{"timeout": 400, **settings}) as opened,
    ):
        yield opened


class Engine:
    """Keeps what it was asked and answers from a list."""

    def __init__(self, *answers: tuple[int, bytes]) -> None:
        self.answers = list(answers) or [(200, success())]
        self.asked: list[tuple[str, str, dict[str, str], dict[str, str]]] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        form = {name: str(value) for name, value in (await request.post()).items()} or dict(request.query)
        self.asked.append((request.method, request.path, form, dict(request.headers)))
        status, body = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return web.Response(status=status, body=body, content_type="application/json")


async def test_a_question_goes_into_the_body_with_its_instant_in_exact_seconds(made: Made) -> None:
    engine = Engine()
    async with api(made, engine.handle) as opened:
        await opened.instant('a{b="ü&c"}[15000ms]', 1_790_000_000_007)
    method, path, form, headers = engine.asked[0]
    assert (method, path) == ("POST", "/prefix/api/v1/query")
    assert form == {"query": 'a{b="ü&c"}[15000ms]', "time": "1790000000.007"}
    assert headers["Content-Type"].startswith("application/x-www-form-urlencoded")


async def test_ranges_and_metadata_have_their_own_paths(made: Made) -> None:
    engine = Engine()
    async with api(made, engine.handle) as opened:
        await opened.range("up", 1_000, 9_000, 500)
        await opened.metadata("up")
    assert [(path.rpartition("/")[2], form) for _, path, form, _ in engine.asked] == [
        ("query_range", {"query": "up", "start": "1.000", "end": "9.000", "step": "0.500"}),
        ("metadata", {"metric": "up"}),
    ]


async def test_warnings_are_kept(made: Made) -> None:
    async with api(made, Engine((200, success(warnings=["store 3 did not answer"]))).handle) as opened:
        assert (await opened.instant("up", 0)).warnings == ("store 3 did not answer",)


async def test_an_answer_that_says_it_is_partial_has_a_warning(made: Made) -> None:
    async with api(made, Engine((200, success(isPartial=True))).handle) as opened:
        assert (await opened.instant("up", 0)).warnings == ("the answer is partial",)


async def test_a_zipped_answer_is_unpacked(made: Made) -> None:
    async def handle(_request: web.Request) -> web.StreamResponse:
        headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        return web.Response(body=gzip.compress(success()), headers=headers)

    async with api(made, handle) as opened:
        assert (await opened.instant("up", 0)).data == EMPTY


@pytest.mark.parametrize(
    ("settings", "header", "value"),
    [
        ({"bearer": Secret(env="TOKEN")}, "Authorization", "Bearer s3cret"),
        ({"user": "ann", "password": Secret(env="P")}, "Authorization", "Basic YW5uOnMzY3JldA=="),
        ({"headers": (("X-Scope-OrgID", "team-1"),)}, "X-Scope-OrgID", "team-1"),
        ({"headers": (("X-Key", Secret(env="KEY", prefix="Key ")),)}, "X-Key", "Key s3cret"),
    ],
)
async def test_credentials_are_sent_as_the_settings_say(
    made: Made, settings: dict[str, Any], header: str, value: str
) -> None:
    engine = Engine()
    async with api(made, engine.handle, **settings) as opened:
        await opened.instant("up", 0)
    assert engine.asked[0][3][header] == value


async def test_a_credential_that_cannot_be_read_asks_nothing(made: Made) -> None:
    engine = Engine()
    async with api(made, engine.handle, bearer=Secret(env="GONE")) as opened:
        with pytest.raises(SecretUnreadable):
            await opened.instant("up", 0)
    assert engine.asked == []


@pytest.mark.parametrize(
    ("status", "body", "reason", "detail"),
    [
        (400, refusal("bad_data", "parse error"), "status", "bad_data: parse error"),
        (200, refusal("timeout", "slow"), "status", "timeout: slow"),
        (200, b"[]", "malformed", "another form"),
        (200, b"nope", "malformed", "no JSON: nope"),
        (404, b"no such page", "status", "answered 404"),
        (200, b"<!DOCTYPE html><title>Sign in</title>", "malformed", "HTML came with status 200 (Sign in)"),
        (502, b"<html><title>Bad Gateway</title>", "malformed", "something in front of the engine"),
    ],
)  # fmt: skip
async def test_every_other_answer_is_reported_as_what_it_is(
    made: Made, status: int, body: bytes, reason: str, detail: str
) -> None:
    async with api(made, Engine((status, body)).handle) as opened:
        with pytest.raises(Fault) as raised:
            await opened.instant("up", 0)
    assert raised.value.reason == reason
    assert detail in raised.value.detail


async def test_a_redirect_is_not_followed(made: Made) -> None:
    async def away(_request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("http://127.0.0.1:1/login")

    async with api(made, away) as opened:
        with pytest.raises(Fault, match="302"):
            await opened.instant("up", 0)


async def test_a_passing_fault_is_asked_again_within_the_budget(made: Made) -> None:
    engine = Engine((503, b"{}"), (200, success()))
    async with api(made, engine.handle) as opened:
        assert (await opened.instant("up", 0, RetryBudget(1))).data == EMPTY
    assert len(engine.asked) == 2


async def test_a_budget_that_is_spent_asks_nothing_twice(made: Made) -> None:
    engine, budget = Engine((503, b"{}")), RetryBudget(1)
    async with api(made, engine.handle) as opened:
        for _ in range(3):
            with pytest.raises(Fault, match="503"):
                await opened.instant("up", 0, budget)
    assert len(engine.asked) == 4


async def test_a_refused_question_is_never_asked_again(made: Made) -> None:
    engine = Engine((400, refusal("bad_data", "x")))
    async with api(made, engine.handle) as opened:
        with pytest.raises(Fault):
            await opened.instant("up", 0, RetryBudget(5))
    assert len(engine.asked) == 1


@pytest.mark.parametrize(
    ("handler", "reason"),
    [
        (silent, "timeout"),
        (dripping, "timeout"),
        (hanging_up, "failed"),
        (breaking_off, "failed"),
        (answering(b" " * 3000), "too_large"),
        (zipped(b" " * 3000), "too_large"),
        (answering(b"no gzip", Content_Encoding="gzip"), "encoding"),
    ],
)  # fmt: skip
async def test_what_a_socket_does_is_a_fault_in_time(made: Made, handler: Handler, reason: str) -> None:
    async with api(made, handler, max_bytes=2048) as opened:
        with pytest.raises(Fault) as raised:
            await opened.instant("up", 0, RetryBudget(1))
    assert raised.value.reason == reason


async def test_where_nobody_listens_the_question_was_refused(made: Made) -> None:
    async with reading(made, nobody_there().removesuffix("/metrics")) as opened:
        with pytest.raises(Fault) as raised:
            await opened.instant("up", 0)
    assert raised.value.reason == "refused"


async def test_proxies_and_passwords_of_the_environment_are_not_used(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login ann password wrong\n", "utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTP_PROXY", nobody_there())
    engine = Engine()
    async with api(made, engine.handle) as opened:
        await opened.instant("up", 0)
    assert "Authorization" not in engine.asked[0][3]
