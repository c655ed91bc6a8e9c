"""What the servers with many workers serve: an application of either kind that answers with its worker's pid."""

import os
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Final

import figwatch

ROUTE: Final = "/work"

Message = MutableMapping[str, Any]


def _answer_wsgi(_environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    body = str(os.getpid()).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


async def _answer_asgi(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    if scope["type"] == "lifespan":
        for _ in range(2):
            await send({"type": f"{(await receive())['type']}.complete"})
        return
    body = str(os.getpid()).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


wsgi = figwatch.instrument(_answer_wsgi, service="work", routes=(ROUTE,))
asgi = figwatch.instrument(_answer_asgi, service="work", routes=(ROUTE,))
