"""The demo's stack with its agent, under users' load, for tests that want to stand in the middle of a story."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import aiohttp

from figwatch_agent.demo import child, files, routes, stack
from figwatch_agent.demo.box import Box, Child
from figwatch_agent.demo.fault import Kind
from figwatch_agent.demo.watch import ready

ROUTE: Final = "/api/v1/chat"
WITHIN: Final = 40.0
"""Seconds for whatever is waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningDemo:
    """Everything that runs, and how to speak to it."""

    folder: Path  # with figwatch.yaml, slo/ and the state
    url: str  # of the agent
    stack: stack.Stack
    agent: Child
    client: aiohttp.ClientSession

    @property
    def environment(self) -> dict[str, str]:
        """What a person at this machine would have set: the secrets that figwatch.yaml names."""
        return {**os.environ, **self.stack.tokens}

    async def status(self) -> dict[str, Any]:
        """The newest status; empty before the first tick."""
        async with self.client.get(f"{self.url}/api/v1/status") as answer:
            document: dict[str, Any] = await answer.json() if answer.status == 200 else {}
            return document

    async def incident(self, holds: Callable[[dict[str, Any]], bool] = bool) -> dict[str, Any]:
        """The newest incident of the route, once ``holds`` is true of it."""

        def found(document: dict[str, Any]) -> dict[str, Any] | None:
            there = [one for one in document.get("incidents", ()) if one["route"] == ROUTE]
            return next((one for one in there if holds(one)), None)

        return await self.until(found)

    async def until(self, found: Callable[[dict[str, Any]], dict[str, Any] | None]) -> dict[str, Any]:
        """What ``found`` sees in the status, as soon as it sees something."""
        deadline = time.monotonic() + WITHIN
        while True:
            seen = found(await self.status())
            if seen is not None:
                return seen
            assert self.agent.running, self.agent.log_tail()
            assert time.monotonic() < deadline, f"nothing of the kind within {WITHIN} s"
            await asyncio.sleep(0.1)

    async def fault(self, kind: Kind, ratio: str = "0.5") -> None:
        """Let the service side of the route fail so; Kind.NONE ends it."""
        service = next(each.service for each in routes.ROUTES if each.template == ROUTE)
        await self.stack.fault(self.client, self.stack.services[service], kind, ratio, ROUTE)


@asynccontextmanager
async def running_demo(
    folder: Path, *, mode: str = "auto", rate: int = 50, seconds: int = 120
) -> AsyncIterator[RunningDemo]:
    """The demo in steady state; ``seconds`` bounds its load."""
    async with Box(folder / "logs") as box, aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as client:
        made = await stack.start(box, ROUTE)
        port = child.free_port()
        settings, *_ = files.write(folder, made.addresses(port), made.shares)
        settings.write_text(settings.read_text("utf-8").replace("mode: auto", f"mode: {mode}"), "utf-8")
        agent = await box.launch("figwatch_agent", "run", "--config", str(settings), name="agent", env=made.tokens)
        demo = RunningDemo(folder=folder, url=f"http://{child.LOOPBACK}:{port}", stack=made, agent=agent, client=client)
        await _ready(demo)
        await made.load(ROUTE, Fraction(rate), Fraction(seconds))
        await demo.until(lambda document: document if _served(document) else None)
        yield demo


def _served(document: dict[str, Any]) -> bool:
    """Whether users of the route were counted on both sides."""
    there = [route for route in document.get("routes", ()) if route["route"] == ROUTE]
    return bool(there) and all(there[0]["requests"].get(side, 0) > 10 for side in ("service", "legacy"))


async def _ready(demo: RunningDemo) -> None:
    deadline = time.monotonic() + WITHIN
    while not await ready(demo.client, demo.url):
        assert demo.agent.running, demo.agent.log_tail()
        assert time.monotonic() < deadline, demo.agent.log_tail()
        await asyncio.sleep(0.1)
