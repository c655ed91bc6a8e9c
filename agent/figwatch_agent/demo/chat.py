"""The chat service: a plain ASGI application on uvicorn."""

import asyncio
from typing import Final

import uvicorn

import figwatch
from figwatch.server.asgi import Receive, Scope, Send
from figwatch_agent.demo import child, fault, routes
from figwatch_agent.demo.asgi_outage import Outage
from figwatch_agent.demo.work import Answer, Work

KEEP_ALIVE_SECONDS: Final = 60
"""Longer than the gateway keeps a connection, so that it never sends into one that is just being closed."""

MESSAGES = figwatch.counter("messages_total", "Chat messages handled.", labels=("channel",))


class Chat:
    """The application: what a team would write without figwatch."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = await _body(receive)
        if scope["path"] == fault.PATH:
            authorization = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
            await _respond(send, self._work.order(authorization, body))
            return
        seconds, answer = self._work.begin(scope["path"])
        await asyncio.sleep(seconds)
        if scope["method"] == "POST" and answer.status == 200:
            MESSAGES.inc(channel="web")
        await _respond(send, answer)


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(body)


async def _respond(send: Send, answer: Answer) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer.body)).encode())]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


def _main() -> None:
    work = Work("chat", routes_of="chat")
    app = figwatch.instrument(Chat(work), service="chat", routes=routes.templates("chat"))
    child.hold_leash()
    bound = child.bind()
    outage = Outage(app, work.switch)
    config = uvicorn.Config(
        outage, log_level="warning", access_log=False, lifespan="off", ws="none", timeout_keep_alive=KEEP_ALIVE_SECONDS
    )
    outage.server = uvicorn.Server(config)
    child.announce(bound)
    outage.server.run(sockets=[bound])


if __name__ == "__main__":
    _main()
