"""The agent's own reader of a Prometheus-compatible engine: form bodies on connections that are kept."""

from collections.abc import Callable, Mapping
from typing import Any

import aiohttp

from figwatch_agent.certificates import ClientCertificates
from figwatch_agent.durations import SECOND, Instant
from figwatch_agent.model.secret import ReadSecret
from figwatch_agent.model.settings import PrometheusServer
from figwatch_agent.sources.body import read_body
from figwatch_agent.sources.fault import fault_of
from figwatch_agent.sources.prometheus_answer import Answer, PassingFault, opened
from figwatch_agent.sources.prometheus_asking import PrometheusReader, seconds


class PrometheusApi(PrometheusReader):
    """Asks over aiohttp; what an engine may be asked beyond samples and metadata, too."""

    def __init__(
        self,
        server: PrometheusServer,
        read_secret: ReadSecret,
        session: Callable[[], aiohttp.ClientSession] | None = None,
    ) -> None:
        super().__init__(server, read_secret)
        self._open = session or open_session
        self._session: aiohttp.ClientSession | None = None
        self._certificates = ClientCertificates(server.tls)

    async def exemplars(self, query: str, start: Instant, end: Instant) -> Answer:
        """Exemplars of the series that ``query`` selects."""
        return await self._ask("query_exemplars", {"query": query, "start": seconds(start), "end": seconds(end)})

    async def rules(self) -> Answer:
        """Rule groups that are loaded."""
        return await self._ask("rules", {}, method="GET")

    async def alerts(self) -> Answer:
        """Alerts that are active."""
        return await self._ask("alerts", {}, method="GET")

    async def close(self) -> None:
        """Let go of connections."""
        if self._session is not None:
            await self._session.close()

    async def _once(self, path: str, form: Mapping[str, str], method: str) -> Answer:
        if self._session is None:
            self._session = self._open()
        sent: dict[str, Any] = {"params": dict(form)} if method == "GET" else {"data": dict(form)}
        try:
            async with self._session.request(
                method,
                f"{self._url}/api/v1/{path}",
                headers=self._headers(),
                ssl=self._certificates.context(),
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=self._server.timeout / SECOND),
                **sent,
            ) as response:
                body = await read_body(response, self._server.max_bytes)
                return opened(response.status, response.content_type, body)
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, ConnectionError) as error:
            fault = fault_of(error)
            raise PassingFault(fault.reason, fault.detail) from None
        except (aiohttp.ClientError, OSError) as error:
            raise fault_of(error) from None


def open_session() -> aiohttp.ClientSession:
    """A session that keeps its connections: no cookies, no proxies, unpacking left to us."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=8),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
    )
