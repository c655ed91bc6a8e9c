"""httpx: event hooks on a client of yours."""

from collections.abc import Awaitable, Callable

import httpx

from figwatch.client.mark import outgoing_headers


def instrument(client: httpx.Client, *, trust_token: str | None = None) -> httpx.Client:
    """Send the trace context with every request of `client`; with `trust_token`, the migration mark too.

    Give the token only to clients that call applications which share the secret: it is sent to every host they call.
    """
    client.event_hooks = {
        **client.event_hooks,
        "request": [*client.event_hooks["request"], _hook(trust_token)],
    }
    return client


def instrument_async(client: httpx.AsyncClient, *, trust_token: str | None = None) -> httpx.AsyncClient:
    """The same for an asynchronous client."""
    client.event_hooks = {
        **client.event_hooks,
        "request": [*client.event_hooks["request"], _async_hook(trust_token)],
    }
    return client


def _hook(trust_token: str | None) -> Callable[[httpx.Request], None]:
    def add(request: httpx.Request) -> None:
        request.headers.update(outgoing_headers(trust_token))

    return add


def _async_hook(trust_token: str | None) -> Callable[[httpx.Request], Awaitable[None]]:
    async def add(request: httpx.Request) -> None:
        request.headers.update(outgoing_headers(trust_token))

    return add
