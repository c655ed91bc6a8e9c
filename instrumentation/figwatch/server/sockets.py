"""ASGI's websocket scopes: the messages of one connection, watched and passed on unchanged."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from figwatch import contract
from figwatch.connections import Connection, Connections
from figwatch.observation import Observer
from figwatch.server.templates import header_of_scope

Message = MutableMapping[str, Any]


async def watch(
    connections: Connections, observer: Observer[Any], app: Any, scope: Any, receive: Any, send: Any, served_by: str
) -> None:
    """Serve one websocket; `served_by` is the scope's key for its side."""
    connection = _begin(connections, observer, scope, served_by)
    if connection is None:
        await app(scope, receive, send)
        return
    entered = connection.seen.enter()
    try:
        await app(scope, _receiving(connection, receive), _sending(connection, send))
    except BaseException as error:
        connection.failed(error)
        raise
    else:
        connection.end(None)
    finally:
        connection.seen.leave(entered)


def _begin(connections: Connections, observer: Observer[Any], scope: Any, served_by: str) -> Connection | None:
    try:
        seen = observer.begin(
            scope,
            "GET",
            header_of_scope(scope, contract.TRACEPARENT_HEADER),
            header_of_scope(scope, contract.TRACESTATE_HEADER),
            header_of_scope(scope, contract.MIGRATION_STATUS_HEADER.lower()),
            header_of_scope(scope, contract.MIGRATION_TOKEN_HEADER.lower()),
        )
        if seen is None:
            return None
        scope[served_by] = seen.side
        return Connection(connections, seen)
    except Exception as error:  # noqa: BLE001 - the connection's edge: a fault of ours must not become its own
        observer.telemetry.health.fault("websocket", error)
        return None


def _receiving(connection: Connection, receive: Callable[[], Awaitable[Message]]) -> Callable[[], Awaitable[Message]]:
    async def receiving() -> Message:
        message = await receive()
        kind = message["type"]
        if kind == "websocket.receive":
            connection.message("in")
        elif kind == "websocket.disconnect":
            connection.end(message.get("code", 1005))
        return message

    return receiving


def _sending(
    connection: Connection, send: Callable[[Message], Awaitable[None]]
) -> Callable[[Message], Awaitable[None]]:
    async def sending(message: Message) -> None:
        await send(message)
        kind = message["type"]
        if kind == "websocket.send":
            connection.message("out")
        elif kind == "websocket.accept":
            connection.accepted = True
        elif kind == "websocket.close":
            connection.end(message.get("code", 1000))

    return sending
