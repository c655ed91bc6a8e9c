"""Both readers of a Prometheus-compatible engine, for suites that hold them to the same behaviour."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from figwatch_agent.errors import SecretUnreadable
from figwatch_agent.model.secret import ReadSecret, Secret
from figwatch_agent.model.settings import PrometheusServer
from figwatch_agent.sources.prometheus_api import PrometheusApi
from figwatch_agent.sources.prometheus_asking import PrometheusReader
from figwatch_agent.sources.prometheus_library import PrometheusLibrary

Made = Callable[[PrometheusServer, ReadSecret], PrometheusReader]

READERS: Final[dict[str, Made]] = {"aiohttp": PrometheusApi, "prometheus-api-client": PrometheusLibrary}


def read_secret(secret: Secret) -> str:
    """What every secret says; one is not there."""
    if secret.env == "GONE":
        raise SecretUnreadable("GONE is not set")
    return secret.prefix + "s3cret"


@asynccontextmanager
async def reading(made: Made, url: str, **settings: Any) -> AsyncIterator[PrometheusReader]:
    """A reader of the engine at ``url``."""
    reader = made(PrometheusServer(url=url, **settings), read_secret)
    try:
        yield reader
    finally:
        await reader.close()
