"""Questions to a Prometheus-compatible engine over its HTTP API, whoever carries them: explicit instants, one deadline,
few repetitions.

Two readers carry them: the agent's own, and prometheus-api-client's. One suite holds both to the same behaviour.
"""

import asyncio
from abc import ABC, abstractmethod
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from figwatch_agent.durations import SECOND, Duration, Instant
from figwatch_agent.model.secret import ReadSecret, resolved
from figwatch_agent.model.settings import PrometheusServer
from figwatch_agent.sources.fault import Fault, fault_of
from figwatch_agent.sources.prometheus_answer import Answer, PassingFault

_PAUSE: Final[Duration] = 100


@dataclass(slots=True)
class RetryBudget:
    """How many questions of one look may be asked a second time; shared, so that a sick engine is not asked twice as
    often."""

    left: int

    def take(self) -> bool:
        """Whether one more may be asked again."""
        self.left -= 1
        return self.left >= 0


class PrometheusReader(ABC):
    """Asks. Every method raises Fault, whose detail is for people; SecretUnreadable where a credential is not there."""

    def __init__(self, server: PrometheusServer, read_secret: ReadSecret) -> None:
        self._server = server
        self._url = server.url.rstrip("/")
        self._read_secret = read_secret

    async def instant(self, query: str, at: Instant, retries: RetryBudget | None = None) -> Answer:
        """``query`` at one instant; the result type is the engine's."""
        return await self._ask("query", {"query": query, "time": seconds(at)}, retries)

    async def range(
        self, query: str, start: Instant, end: Instant, step: Duration, retries: RetryBudget | None = None
    ) -> Answer:
        """``query`` at every step from ``start`` to ``end``, both included."""
        times = {"start": seconds(start), "end": seconds(end), "step": seconds(step)}
        return await self._ask("query_range", {"query": query, **times}, retries)

    async def metadata(self, metric: str | None = None) -> Answer:
        """Type, unit and help of metrics, by name."""
        return await self._ask("metadata", {} if metric is None else {"metric": metric}, method="GET")

    @abstractmethod
    async def close(self) -> None:
        """Let go of connections."""

    @abstractmethod
    async def _once(self, path: str, form: Mapping[str, str], method: str) -> Answer:
        """Ask once. Raises PassingFault where the same question may be answered a moment later."""

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
        except PassingFault as fault:
            if retries is None or not retries.take():
                raise Fault(fault.reason, fault.detail) from None
        await asyncio.sleep(_PAUSE / SECOND)
        try:
            return await self._once(path, form, method)
        except PassingFault as fault:
            raise Fault(fault.reason, f"{fault.detail}, twice") from None

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


def seconds(instant: Instant) -> str:
    """Milliseconds as the decimal seconds that the API takes, exactly."""
    return f"{instant // SECOND}.{instant % SECOND:03d}"
