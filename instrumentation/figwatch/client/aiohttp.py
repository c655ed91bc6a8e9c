"""aiohttp: a trace configuration for a session of yours."""

from collections.abc import Sequence
from types import SimpleNamespace

import aiohttp
from yarl import URL

from figwatch.client.mark import MARK_HEADERS, Mark


def trace_config(*, trust_token: str | None = None, hosts: Sequence[str] = ()) -> aiohttp.TraceConfig:
    """Hand it to `ClientSession(trace_configs=[...])`: every request then carries the trace context.

    Those to `hosts`, which share the secret `trust_token`, carry the migration mark too: names, or `*.suffix`. Raises
    DefinitionError.
    """
    mark = Mark(trust_token, hosts)

    async def add(
        _session: aiohttp.ClientSession, _context: SimpleNamespace, request: aiohttp.TraceRequestStartParams
    ) -> None:
        request.headers.update(mark.headers(request.url.host))

    async def strip(
        _session: aiohttp.ClientSession, _context: SimpleNamespace, request: aiohttp.TraceRequestRedirectParams
    ) -> None:
        where = request.response.headers.get("Location") or request.response.headers.get("URI") or ""
        if not mark.goes_to(request.url.join(URL(where)).host):
            for name in MARK_HEADERS:
                request.headers.pop(name, None)

    config = aiohttp.TraceConfig()
    config.on_request_start.append(add)
    config.on_request_redirect.append(strip)
    return config
