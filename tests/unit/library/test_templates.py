"""The template where only the endpoint is noted: by Starlette before 1.7, by FastAPI for what is not its own kind."""

from typing import Any

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.responses import PlainTextResponse
from starlette.routing import Host, Mount, Route, Router, WebSocketRoute
from starlette.types import Receive, Scope, Send

from figwatch.server.templates import asgi_template


async def text(_request: Any) -> PlainTextResponse:
    return PlainTextResponse("x")


async def opaque(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("x")(scope, receive, send)


async def socket(_socket: Any) -> None:
    pass


class Page(HTTPEndpoint):
    """An endpoint that is a class."""


def starlette() -> Starlette:
    deep = [Route("/{x}", text), Route("/{x}/more", text)]
    return Starlette(
        routes=[
            Route("/chat/{id:int}", text, methods=["GET"]),
            Route("/chat/{name}/again", text),
            Route("/page", Page),
            WebSocketRoute("/socket/{room}", socket),
            Mount("/tenants/{tenant}", routes=[Route("/chat/{id}", text), Mount("/deep", routes=deep)]),
            Mount("/a", routes=deep),
            Mount("/files", opaque),
            Host("api.example.com", Router([Route("/hosted/{id}", text)])),
            Mount("", routes=[Route("/under-nothing/{id}", text)]),
        ]
    )


def fastapi() -> FastAPI:
    app = FastAPI()
    app.add_route("/plain/{id}", text)
    app.mount("/below/{tenant}", starlette())
    app.mount("/static", opaque)
    return app


async def scope_after(
    app: Any, path: str, *, root: str = "", method: str = "GET", kind: str = "http"
) -> dict[str, Any]:
    """What an application leaves in the scope of one request."""
    scope: dict[str, Any] = {
        "type": kind, "method": method, "path": root + path, "root_path": root, "query_string": b"", "state": {},
        "headers": [(b"host", b"api.example.com" if "hosted" in path else b"localhost")],
        "http_version": "1.1", "scheme": "http",
        "server": ("localhost", 80),
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": f"{kind}.disconnect"}

    async def send(message: Any) -> None:
        pass

    await app.router(scope, receive, send)
    return scope


PATHS = {
    "/chat/7": "/chat/{id}",
    "/chat/me/again": "/chat/{name}/again",
    "/page": "/page",
    "/tenants/acme/chat/7": "/tenants/{tenant}/chat/{id}",
    "/tenants/acme/deep/7": "/tenants/{tenant}/deep/{x}",
    "/tenants/acme/deep/7/more": "/tenants/{tenant}/deep/{x}/more",
    "/tenants/acme/nothing": "/tenants/{tenant}/{path:path}",
    "/a/7": "/a/{x}",
    "/files/any/where": "/files/{path:path}",
    "/hosted/7": "/hosted/{id}",
    "/under-nothing/7": "/under-nothing/{id}",
}


@pytest.mark.parametrize("root", ["", "/behind/proxy"])
@pytest.mark.parametrize("path", PATHS)
async def test_a_route_is_found_by_the_endpoint_that_was_chosen(path: str, root: str) -> None:
    for app, prefix, shown in ((starlette(), "", ""), (fastapi(), "/below/acme", "/below/{tenant}")):
        scope = await scope_after(app, prefix + path, root=root)
        wanted = shown + PATHS[path]
        assert asgi_template(scope) == wanted
        scope.pop("route", None)
        assert asgi_template(scope) == wanted


async def test_a_wrong_method_keeps_the_template() -> None:
    application = Starlette(routes=[Route("/chat/{id}", text, methods=["GET"])])
    scope = await scope_after(application, "/chat/7", method="POST")
    scope.pop("route", None)
    assert asgi_template(scope) == "/chat/{id}"


async def test_a_websocket_has_one_too() -> None:
    scope = await scope_after(starlette(), "/socket/lobby", kind="websocket")
    scope.pop("route", None)
    assert asgi_template(scope) == "/socket/{room}"


async def test_a_starlette_route_of_a_fastapi_application_is_found() -> None:
    assert asgi_template(await scope_after(fastapi(), "/plain/7")) == "/plain/{id}"


async def test_what_a_fastapi_application_mounts_is_known_by_its_mount() -> None:
    assert asgi_template(await scope_after(fastapi(), "/static/any/where")) == "/static/{path:path}"


async def test_a_path_that_no_route_takes_has_none() -> None:
    application = Starlette(routes=[Route("/chat", text)])
    assert asgi_template(await scope_after(application, "/nothing")) is None
