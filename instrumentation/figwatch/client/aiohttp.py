"""aiohttp: a trace configuration for a session of yours."""

from types import SimpleNamespace

import aiohttp

from figwatch.client.mark import outgoing_headers


def trace_config(*, trust_token: str | None = None) -> aiohttp.TraceConfig:
    """Hand it to `ClientSession(trace_configs=[...])`: every request then carries the trace context.

    With `trust_token` the migration mark travels too: only for sessions that call applications which share the secret.
    """

    async def add(
        _session: aiohttp.ClientSession, _context: SimpleNamespace, request: aiohttp.TraceRequestStartParams
    ) -> None:
        request.headers.update(outgoing_headers(trust_token))

    config = aiohttp.TraceConfig()
    config.on_request_start.append(add)
    return config
