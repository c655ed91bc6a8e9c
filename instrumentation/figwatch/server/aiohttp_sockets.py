"""aiohttp's websockets: their messages are counted where the handler receives and sends them."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, cast

from aiohttp import WSMessage, WSMsgType, web

from figwatch.connections import Connection, Connections
from figwatch.observation import Observation


class _WatchedSocket(Protocol):
    """The methods of a websocket that are replaced on the instance."""

    receive: Callable[..., Awaitable[WSMessage]]
    send_str: Callable[..., Awaitable[None]]
    send_bytes: Callable[..., Awaitable[None]]


def watch(seen: Observation[web.Request], response: web.WebSocketResponse) -> Connection:
    """Count what goes through it from now on."""
    connection = Connection(Connections(seen.observer.telemetry), seen)
    connection.accepted = True
    watched = cast(_WatchedSocket, response)
    receive = watched.receive

    async def receiving(*timeout: float | None, **named: float | None) -> WSMessage:
        message = await receive(*timeout, **named)
        if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
            connection.message("in")
        return message

    def sending(send: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        async def sent(*data: Any, **options: Any) -> None:
            await send(*data, **options)
            connection.message("out")

        return sent

    watched.receive = receiving
    watched.send_str = sending(watched.send_str)
    watched.send_bytes = sending(watched.send_bytes)
    return connection
