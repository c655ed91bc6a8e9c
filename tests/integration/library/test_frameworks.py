"""Routes come from the framework's own templates."""

from typing import Any

import pytest
from aiohttp import web
from fastapi import APIRouter, FastAPI
from flask import Blueprint, Flask
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

import figwatch
from figwatch.testing import recording
from support.families import make_django_asgi, make_django_wsgi
from support.library import aiohttp_client, call_asgi, call_wsgi, staying


async def text(_request: Any) -> PlainTextResponse:
    return PlainTextResponse("x")


def starlette() -> Any:
    return Starlette(
        routes=[
            Route("/chat/{id:int}", text),
            Mount(
                "/tenants/{tenant}", routes=[Route("/chat/{id}", text), Mount("/deep", routes=[Route("/{x}", text)])]
            ),
        ]
    )


def fastapi() -> Any:
    app = FastAPI()
    router = APIRouter(prefix="/items")

    @router.get("/{id}")
    async def item(id: int) -> int:
        return id

    app.include_router(router, prefix="/v1")
    app.include_router(router, prefix="/v2")
    below = FastAPI()
    below.include_router(router)
    app.mount("/below/{tenant}", below)
    return app


@pytest.mark.parametrize(
    ("make", "path", "status", "route"),
    [
        (starlette, "/chat/42", "200", "/chat/{id}"),
        (starlette, "/chat/x", "404", "__unmatched__"),
        (starlette, "/tenants/acme/chat/7", "200", "/tenants/{tenant}/chat/{id}"),
        (starlette, "/tenants/acme/deep/7", "200", "/tenants/{tenant}/deep/{x}"),
        (starlette, "/tenants/acme/nothing", "404", "/tenants/{tenant}/{path:path}"),
        (fastapi, "/v1/items/1", "200", "/v1/items/{id}"),
        (fastapi, "/v2/items/1", "200", "/v2/items/{id}"),
        (fastapi, "/v2/items/x", "422", "/v2/items/{id}"),
        (fastapi, "/below/acme/items/3", "200", "/below/{tenant}/items/{id}"),
        (fastapi, "/nothing", "404", "__unmatched__"),
    ],
)
async def test_an_asgi_frameworks_template_is_the_route(make: Any, path: str, status: str, route: str) -> None:
    app = make()
    assert figwatch.instrument(app, service="x") is app
    with recording() as recorded:
        await call_asgi(app, path)
    recorded.assert_requests(1)
    recorded.assert_requests(1, http_route=route, http_response_status_code=status)
    assert recorded.faults() == 0


async def test_starlettes_own_500_page_is_counted_and_carries_the_trace_id() -> None:
    async def broken(_request: Any) -> PlainTextResponse:
        raise ValueError("boom")

    sent: list[Any] = []

    async def note(message: Any) -> None:
        sent.append(message)

    app = figwatch.instrument(Starlette(routes=[Route("/broken", broken)]))
    with recording() as recorded, pytest.raises(ValueError, match="boom"):
        await call_asgi(app, "/broken", on_send=note)
    recorded.assert_requests(1, http_route="/broken", http_response_status_code="500", error_type="500")
    assert b"x-trace-id" in dict(sent[0]["headers"])


def flask() -> Flask:
    app = Flask("shop")
    blueprint = Blueprint("v1", "v1", url_prefix="/v1")

    @blueprint.get("/items/<int:number>")
    def item(number: int) -> str:
        return str(number)

    @app.get("/broken/<name>")
    def broken(name: str) -> str:
        raise ValueError(name)

    app.register_blueprint(blueprint)
    return app


@pytest.mark.parametrize(
    ("path", "status", "route"),
    [
        ("/v1/items/1", "200", "/v1/items/{number}"),
        ("/v1/items/x", "404", "__unmatched__"),
        ("/broken/a", "500", "/broken/{name}"),
    ],
)
def test_flasks_rule_is_the_route(path: str, status: str, route: str) -> None:
    app = flask()
    assert figwatch.instrument(app, service="x") is app
    assert figwatch.instrument(app) is app
    with recording() as recorded:
        call_wsgi(app, path)
    recorded.assert_requests(1)
    recorded.assert_requests(1, http_route=route, http_response_status_code=status)
    assert recorded.faults() == 0


def django_handler(*, asynchronous: bool) -> Any:
    return make_django_asgi() if asynchronous else make_django_wsgi()


DJANGO_CASES = [("/v1/items/1/", "200", "/v1/items/{number}"), ("/nothing", "404", "__unmatched__")]


@pytest.mark.parametrize(("path", "status", "route"), DJANGO_CASES)
def test_djangos_pattern_is_the_route_under_wsgi(path: str, status: str, route: str) -> None:
    app = figwatch.instrument(django_handler(asynchronous=False))
    with recording() as recorded:
        call_wsgi(app, path, headers=[("Host", "localhost")])
    recorded.assert_requests(1)
    recorded.assert_requests(1, http_route=route, http_response_status_code=status)
    assert recorded.faults() == 0


@pytest.mark.parametrize(("path", "status", "route"), DJANGO_CASES)
async def test_djangos_pattern_is_the_route_under_asgi(path: str, status: str, route: str) -> None:
    app = figwatch.instrument(django_handler(asynchronous=True))
    with recording() as recorded:
        await call_asgi(staying(app), path, headers=[("Host", "localhost")])
    recorded.assert_requests(1)
    recorded.assert_requests(1, http_route=route, http_response_status_code=status)
    assert recorded.faults() == 0


async def test_an_aiohttp_sub_applications_route_carries_its_prefix() -> None:
    async def handle(_request: web.Request) -> web.Response:
        return web.Response()

    below = web.Application()
    below.router.add_get("/items/{number:\\d+}", handle)
    app = web.Application()
    app.add_subapp("/v1", below)
    with recording() as recorded:
        async with aiohttp_client(figwatch.instrument(app)) as client, client.get("/v1/items/1"):
            pass
    recorded.assert_requests(1, http_route="/v1/items/{number}")
