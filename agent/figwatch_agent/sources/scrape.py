"""The embedded source: reads /metrics of every scrape target itself."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

import aiohttp
from yarl import URL

from figwatch_agent.clock import Clock
from figwatch_agent.durations import SECOND, Duration, Instant
from figwatch_agent.model.batch import Batch, down
from figwatch_agent.model.secret import ReadSecret, resolved
from figwatch_agent.model.settings import Scrape
from figwatch_agent.sources.body import read_body
from figwatch_agent.sources.exposition_cache import MalformedPage, Page, PageParser
from figwatch_agent.sources.fault import Fault, FaultReason, fault_of

ACCEPT: Final = "application/openmetrics-text;version=1.0.0;q=0.9,text/plain;version=0.0.4;q=0.8,*/*;q=0.1"
"""OpenMetrics first, as Prometheus asks, so that names are what people see there and created-timestamps come along."""

_MAX_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PARSE_ASIDE = 256 * 1024  # bytes; a page of this size is parsed in a thread, so that the loop keeps answering


def open_session() -> aiohttp.ClientSession:
    """A session for many scrape targets: no cookies, no proxies, no limit shared between them, unpacking left to us."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
    )


class ScrapeSource:
    """Scrapes all scrape targets at once; what goes wrong with one costs that one this scrape, and nothing else."""

    def __init__(
        self,
        settings: Scrape,
        wanted: Callable[[str], bool] | frozenset[str],
        clock: Clock,
        read_secret: ReadSecret,
        session: Callable[[], aiohttp.ClientSession] = open_session,
    ) -> None:
        """``wanted`` says of a sample name whether its series are kept; ``read_secret`` reads the bearer token."""
        self._settings = settings
        self._clock = clock
        self._read_secret = read_secret
        self._open = session
        self._session: aiohttp.ClientSession | None = None
        self._parsers = {target: PageParser(wanted) for target in settings.targets}
        # A thread of its own: those of the event loop may all be waiting for a name server.
        self._aside = ThreadPoolExecutor(max_workers=1, thread_name_prefix="figwatch-parse")
        self._faults: dict[str, Fault] = {}
        self._left_out: dict[str, int] = {}

    @property
    def faults(self) -> Mapping[str, str]:
        """For people: why each scrape target that is down now has no usable answer."""
        return {target: fault.detail for target, fault in self._faults.items()}

    @property
    def left_out(self) -> Mapping[str, int]:
        """For each scrape target that is up, how many wanted samples its newest page had that are no counts."""
        return dict(self._left_out)

    async def collect(self, now: Instant) -> tuple[Batch, ...]:
        """One Batch per scrape target, in the order of the settings, after the timeout at the latest."""
        if self._session is None:
            self._session = self._open()
        session = self._session
        return tuple(await asyncio.gather(*(self._scrape(session, target) for target in self._parsers)))

    async def close(self) -> None:
        """Let go of connections. Nothing is collected afterwards."""
        self._aside.shutdown(wait=False, cancel_futures=True)
        if self._session is not None:
            await self._session.close()

    async def _scrape(self, session: aiohttp.ClientSession, target: str) -> Batch:
        at: Instant | None = None
        try:
            body, openmetrics = await self._fetch(session, target)
            at = self._clock.now()
            page = await self._parse(target, body, openmetrics)
        except Exception as error:  # noqa: BLE001  # whatever an answer provokes costs this scrape only
            return self._down(target, fault_of(error), at)
        self._faults.pop(target, None)
        self._left_out[target] = page.left_out
        return Batch(target=target, at=at, up=True, table=page.table, values=page.values, created=page.created)

    def _down(self, target: str, fault: Fault, at: Instant | None) -> Batch:
        self._faults[target] = fault
        self._left_out.pop(target, None)
        return down(target, self._clock.now() if at is None else at, fault.reason)

    async def _fetch(self, session: aiohttp.ClientSession, target: str) -> tuple[bytes, bool]:
        """Body and whether it is OpenMetrics."""
        headers = {"Accept": ACCEPT, "Accept-Encoding": "gzip"}
        if self._settings.bearer is not None:
            headers["Authorization"] = f"Bearer {resolved(self._settings.bearer, self._read_secret)}"
        async with asyncio.timeout(self._settings.timeout / SECOND):
            url = URL(target)
            for _ in range(_MAX_REDIRECTS + 1):
                async with session.get(
                    url, headers=headers, allow_redirects=False, timeout=_client_timeout(self._settings.timeout)
                ) as response:
                    if response.status in _REDIRECTS:
                        url = _next_url(url, response)
                        continue
                    return await self._body(response), "openmetrics" in response.content_type
        raise Fault(FaultReason.STATUS, f"more than {_MAX_REDIRECTS} redirects")

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        if response.status != 200:
            raise Fault(FaultReason.STATUS, f"answered {response.status}, not 200")
        if response.content_type in ("text/html", "application/json"):
            raise Fault(FaultReason.MALFORMED, f"answered with {response.content_type}, not with metrics")
        return await read_body(response, self._settings.max_bytes)

    async def _parse(self, target: str, body: bytes, openmetrics: bool) -> Page:
        parser = self._parsers[target]
        try:
            if len(body) < _PARSE_ASIDE:
                return parser.parse(body, openmetrics=openmetrics)
            parse = partial(parser.parse, body, openmetrics=openmetrics)
            return await asyncio.get_running_loop().run_in_executor(self._aside, parse)
        except MalformedPage as malformed:
            raise Fault(FaultReason.MALFORMED, str(malformed)) from None


def _client_timeout(timeout: Duration) -> aiohttp.ClientTimeout:
    """aiohttp's own, explicit: its default is five minutes."""
    return aiohttp.ClientTimeout(total=timeout / SECOND)


def _next_url(url: URL, response: aiohttp.ClientResponse) -> URL:
    """Where a redirect leads, if it stays on the same origin: a token must not travel, nor a page be another's."""
    there = url.join(URL(response.headers.get("Location", "")))
    if there.origin() != url.origin():
        raise Fault(FaultReason.STATUS, f"answered {response.status}: redirects to another origin are not followed")
    return there
