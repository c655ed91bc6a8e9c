"""The demo's pager inside the test's own process: same code, real sockets, no process to start."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from figwatch_agent.clock import AnchoredClock
from figwatch_agent.demo import child
from figwatch_agent.demo.pager import Pager, Received

ROUTING_KEY = "0123456789abcdef0123456789abcdef"
"""A routing key of the length that PagerDuty demands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningPager:
    """A pager that listens; ``pager`` is its state, to look into and to give orders to without HTTP."""

    url: str
    pager: Pager

    @property
    def pagerduty(self) -> str:
        return f"{self.url}/v2/enqueue"

    @property
    def slack(self) -> str:
        return f"{self.url}/services/T000/B000/XXXX"

    @property
    def slack_api(self) -> str:
        return f"{self.url}/api"

    @property
    def webhook(self) -> str:
        return f"{self.url}/hook"

    def misbehave(
        self,
        path: str,
        do: str,
        *,
        times: int = 1,
        retry_after: str | None = None,
        delay_ms: int = 0,
        error: str = "",
    ) -> None:
        """Queue failures for ``pagerduty``, ``slack``, ``slack_api`` or ``webhook``."""
        order = {"path": path, "do": do, "times": times, "retry_after": retry_after, "delay_ms": delay_ms}
        order["error"] = error
        self.pager.misbehaviours.order(order)

    def received(self, path: str) -> list[Received]:
        """Everything that arrived at one of them, in order."""
        return [one for one in self.pager.received if one.path == path]

    def people(self) -> list[dict[str, object]]:
        """What a person would have seen: alerts, then messages."""
        return self.pager.people()


@asynccontextmanager
async def running_pager() -> AsyncIterator[RunningPager]:
    """A pager on a free loopback port for as long as the block lasts."""
    pager = Pager(clock=AnchoredClock())
    runner = web.AppRunner(pager.app(), access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    bound = child.bind()
    try:
        await web.SockSite(runner, bound).start()
        yield RunningPager(url=f"http://{child.LOOPBACK}:{bound.getsockname()[1]}", pager=pager)
    finally:
        await runner.cleanup()
        bound.close()
