"""What the gateway does now, read from real servers on loopback."""

import asyncio

import pytest
from aiohttp import web

from figwatch_agent.errors import SecretUnreadable
from figwatch_agent.model.plan import GatewayReading, HttpCall
from figwatch_agent.model.secret import Secret
from figwatch_agent.sources.gateway import read_gateway
from support.scrape_targets import Handler, answering, endless, hanging_up, nobody_there, served, silent, zipped


def reading(url: str, method: str = "GET", json: str | None = None) -> GatewayReading:
    headers = (("Authorization", Secret(env="TOKEN")),)
    return GatewayReading(read=HttpCall(method=method, url=url, headers=headers, json=json), fields=("to",))


def read_secret(secret: Secret) -> str:
    return f"value of {secret.env}"


async def read(handler: Handler, within: int = 10_000) -> str | None:
    async with served(handler) as url:
        return await read_gateway(reading(url), read_secret=read_secret, within=within)


async def test_the_fields_that_count_are_read_with_the_token() -> None:
    seen: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        seen.append(request.headers["Authorization"])
        return web.json_response({"to": "service", "changed": "yesterday"})

    assert (await read(handle), seen) == ('{"to":"service"}', ["value of TOKEN"])


async def test_an_answer_that_comes_in_pieces_is_read_to_its_end() -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b'{"to": "serv')
        await asyncio.sleep(0.05)  # the first piece is read alone
        await response.write(b'ice"}')
        await response.write_eof()
        return response

    assert await read(handle) == '{"to":"service"}'


async def test_a_packed_answer_is_unpacked() -> None:
    assert await read(zipped(b'{"to": "service"}')) == '{"to":"service"}'


async def test_a_question_with_a_body_is_asked_with_it() -> None:
    async def handle(request: web.Request) -> web.Response:
        return web.json_response({"to": (await request.json())["route"]})

    async with served(handle) as url:
        asked = reading(url, "POST", '{"route":"chat"}')
        assert await read_gateway(asked, read_secret=read_secret) == '{"to":"chat"}'


async def _refusing(_request: web.Request) -> web.Response:
    return web.json_response({"to": "service"}, status=503)


@pytest.mark.parametrize("handler", [_refusing, answering(b"not JSON"), answering(b"{}"), hanging_up, endless])
async def test_no_usable_answer_is_no_reading(handler: Handler) -> None:
    assert await read(handler) is None


async def test_an_answer_that_never_comes_is_no_reading() -> None:
    assert await read(silent, within=200) is None


async def test_a_gateway_that_is_not_there_is_no_reading() -> None:
    assert await read_gateway(reading(nobody_there()), read_secret=read_secret) is None


async def test_a_token_that_cannot_be_read_is_no_reading() -> None:
    def missing(secret: Secret) -> str:
        raise SecretUnreadable(f"{secret} is empty")

    assert await read_gateway(reading("http://127.0.0.1:1/"), read_secret=missing) is None
