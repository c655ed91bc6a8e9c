"""Questions to a Prometheus-compatible engine over its HTTP API: form bodies, explicit instants, nothing swallowed."""

import asyncio
import json
import ssl
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

from figwatch_agent.durations import SECOND, Duration, Instant
from figwatch_agent.model.secret import ReadSecret, resolved
from figwatch_agent.model.settings import ClientTls, PrometheusServer
from figwatch_agent.sources.body import read_body
from figwatch_agent.sources.fault import Fault, FaultReason, fault_of

PASSING: Final = frozenset({429, 502, 503, 504})
"""Statuses after which the same question may be answered a moment later."""

_PAUSE: Final[Duration] = 100
_SHOWN: Final = 300  # characters of the other side's words that are repeated


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the engine said."""

    data: Any  # the member `data`
    warnings: tuple[str, ...] = ()
    """Of an engine that could not see everything: the answer is partial, and what it lacks is unknown."""


@dataclass(slots=True)
class RetryBudget:
    """How many questions of one look may be asked a second time; shared, so that a sick engine is not asked twice as
    often."""

    left: int

    def take(self) -> bool:
        """Whether one more may be asked again."""
        self.left -= 1
        return self.left >= 0


class PrometheusApi:
    """Asks. Every method raises Fault, whose detail is for people; SecretUnreadable where a credential is not there."""

    def __init__(
        self,
        server: PrometheusServer,
        read_secret: ReadSecret,
        session: Callable[[PrometheusServer], aiohttp.ClientSession] | None = None,
    ) -> None:
        self._server = server
        self._base = server.url.rstrip("/") + "/api/v1/"
        self._read_secret = read_secret
        self._open = session or open_session
        self._session: aiohttp.ClientSession | None = None

    async def instant(self, query: str, at: Instant, retries: RetryBudget | None = None) -> Answer:
        """``query`` at one instant; the result type is the engine's."""
        return await self._ask("query", {"query": query, "time": _seconds(at)}, retries)

    async def range(
        self, query: str, start: Instant, end: Instant, step: Duration, retries: RetryBudget | None = None
    ) -> Answer:
        """``query`` at every step from ``start`` to ``end``, both included."""
        times = {"start": _seconds(start), "end": _seconds(end), "step": _seconds(step)}
        return await self._ask("query_range", {"query": query, **times}, retries)

    async def exemplars(self, query: str, start: Instant, end: Instant) -> Answer:
        """Exemplars of the series that ``query`` selects."""
        return await self._ask("query_exemplars", {"query": query, "start": _seconds(start), "end": _seconds(end)})

    async def metadata(self, metric: str | None = None) -> Answer:
        """Type, unit and help of metrics, by name."""
        return await self._ask("metadata", {} if metric is None else {"metric": metric}, method="GET")

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

    async def _ask(
        self, path: str, form: Mapping[str, str], retries: RetryBudget | None = None, method: str = "POST"
    ) -> Answer:
        """One question, and a second time where the fault may pass; the deadline of the settings holds for both."""
        try:
            async with asyncio.timeout(self._server.timeout / SECOND):
                return await self._twice(path, form, retries, method)
        except TimeoutError as error:
            raise fault_of(error) from None

    async def _twice(self, path: str, form: Mapping[str, str], retries: RetryBudget | None, method: str) -> Answer:
        try:
            return await self._once(path, form, method)
        except _PassingFault as fault:
            if retries is None or not retries.take():
                raise Fault(fault.reason, fault.detail) from None
        await asyncio.sleep(_PAUSE / SECOND)
        try:
            return await self._once(path, form, method)
        except _PassingFault as fault:
            raise Fault(fault.reason, f"{fault.detail}, twice") from None

    async def _once(self, path: str, form: Mapping[str, str], method: str) -> Answer:
        if self._session is None:
            self._session = self._open(self._server)
        sent: dict[str, Any] = {"params": dict(form)} if method == "GET" else {"data": dict(form)}
        try:
            async with self._session.request(
                method,
                self._base + path,
                headers=self._headers(),
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=self._server.timeout / SECOND),
                **sent,
            ) as response:
                body = await read_body(response, self._server.max_bytes)
                return _read(response.status, response.content_type, body)
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, ConnectionError) as error:
            fault = fault_of(error)
            raise _PassingFault(fault.reason, fault.detail) from None
        except (aiohttp.ClientError, OSError) as error:
            raise fault_of(error) from None

    def _headers(self) -> dict[str, str]:
        server = self._server
        headers = {name: resolved(value, self._read_secret) for name, value in server.headers}
        headers["Accept-Encoding"] = "gzip"
        if server.bearer is not None:
            headers["Authorization"] = f"Bearer {resolved(server.bearer, self._read_secret)}"
        if server.user is not None and server.password is not None:
            pair = f"{server.user}:{resolved(server.password, self._read_secret)}"
            headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        return headers


class _PassingFault(Fault):
    """One that may be gone a moment later."""


def open_session(server: PrometheusServer) -> aiohttp.ClientSession:
    """A session that keeps its connections: no cookies, no proxies, unpacking left to us."""
    context = True if server.tls is None else _context(server.tls)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=8, ssl=context),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
    )


def _context(tls: ClientTls) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=tls.ca)
    if tls.certificate is not None:
        context.load_cert_chain(tls.certificate, tls.key)
    return context


def _read(status: int, content_type: str, body: bytes) -> Answer:
    """The engine's envelope, opened. What is no envelope is reported as what it is."""
    if content_type == "text/html" or body[:64].lstrip().lower().startswith((b"<!doctype", b"<html")):
        raise Fault(
            FaultReason.MALFORMED,
            f"a page of HTML came with status {status}{_title(body)}: something in front of the engine answered",
        )
    kind = _PassingFault if status in PASSING else Fault
    try:
        document = json.loads(body)
    except ValueError:
        if status != 200:
            raise kind(FaultReason.STATUS, f"answered {status}, not 200: {_words(body)}") from None
        raise Fault(FaultReason.MALFORMED, f"the answer is no JSON: {_words(body)}") from None
    if not isinstance(document, dict) or document.get("status") not in ("success", "error"):
        raise kind(FaultReason.STATUS if status != 200 else FaultReason.MALFORMED, f"answered {status} in another form")
    if document["status"] == "error" or status != 200:
        said = f"{document.get('errorType', 'error')}: {document.get('error', '')}"
        raise kind(FaultReason.STATUS, f"answered {status}: {said[:_SHOWN]}")
    warnings = document.get("warnings") or ()
    partial = document.get("isPartial") is True  # VictoriaMetrics says it so
    told = tuple(str(warning)[:_SHOWN] for warning in warnings)
    return Answer(data=document.get("data"), warnings=told or (("the answer is partial",) if partial else ()))


def _title(body: bytes) -> str:
    lower = body.lower()
    begin, end = lower.find(b"<title>"), lower.find(b"</title>")
    return f" ({_words(body[begin + 7 : end])})" if 0 <= begin < end else ""


def _words(body: bytes) -> str:
    return " ".join(body[: 4 * _SHOWN].decode("utf-8", "replace").split())[:80] or "nothing"


def _seconds(instant: Instant) -> str:
    """Milliseconds as the decimal seconds that the API takes, exactly."""
    return f"{instant // SECOND}.{instant % SECOND:03d}"
