"""httpx: event hooks on a client of yours."""

from collections.abc import Sequence

import httpx

from figwatch.client.mark import MARK_HEADERS, Mark


def instrument(client: httpx.Client, *, trust_token: str | None = None, hosts: Sequence[str] = ()) -> httpx.Client:
    """Send the trace context with every request of `client`, and the migration mark with those to `hosts`.

    `hosts` share the secret `trust_token`: names, or `*.suffix`. Raises DefinitionError.
    """
    mark = Mark(trust_token, hosts)

    def add(request: httpx.Request) -> None:
        _put(mark, request)

    client.event_hooks = {**client.event_hooks, "request": [*client.event_hooks["request"], add]}
    return client


def instrument_async(
    client: httpx.AsyncClient, *, trust_token: str | None = None, hosts: Sequence[str] = ()
) -> httpx.AsyncClient:
    """The same for an asynchronous client."""
    mark = Mark(trust_token, hosts)

    async def add(request: httpx.Request) -> None:
        _put(mark, request)

    client.event_hooks = {**client.event_hooks, "request": [*client.event_hooks["request"], add]}
    return client


def _put(mark: Mark, request: httpx.Request) -> None:
    """Called for each hop of a redirect anew, with the headers of the one before."""
    for name in MARK_HEADERS:
        if not mark.goes_to(request.url.host):
            request.headers.pop(name, None)
    request.headers.update(mark.headers(request.url.host))
