"""The whole strangler stack in a box: pager, monolith, three services and the gateway in front of them."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import aiohttp

from figwatch_agent.demo import routes, tokens
from figwatch_agent.demo.box import Box, Child
from figwatch_agent.demo.fault import PATH, Kind
from figwatch_agent.demo.files import Addresses


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """Everything that runs, and the secrets with which to speak to it."""

    box: Box
    tokens: tokens.Tokens  # by environment variable
    shares: Mapping[str, int]  # service share by route template, as at the start
    pager: Child
    legacy: Child
    services: Mapping[str, Child]  # by the names in routes.SERVICES
    gateway: Child

    def addresses(self, agent_port: int) -> Addresses:
        """Where everything listens, for the files of an agent that will listen on this port."""
        urls = {name: child.url for name, child in self.services.items()}
        return Addresses(
            gateway=self.gateway.url,
            legacy=self.legacy.url,
            services=urls,
            pager=self.pager.url,
            agent_port=agent_port,
        )

    async def load(self, faulted: str, service_rate: Fraction, seconds: Fraction) -> Child:
        """Start the load: the service side of ``faulted`` receives ``service_rate`` requests a second."""
        wanted = {route: str(rate) for route, rate in routes.rates(faulted, service_rate).items()}
        arguments = ("--gateway", self.gateway.url, "--rates", json.dumps(wanted), "--seconds", str(seconds))
        return await self.box.start("load", *arguments)

    async def fault(
        self, client: aiohttp.ClientSession, part: Child, kind: Kind, ratio: str = "1", route: str | None = None
    ) -> None:
        """Order ``part`` to fail, or with Kind.NONE to stop failing. Raises aiohttp.ClientResponseError."""
        order = {"kind": kind, "ratio": ratio, "route": route}
        headers = tokens.bearer(self.tokens[tokens.FAULT])
        async with client.post(f"{part.url}{PATH}", json=order, headers=headers) as answer:
            answer.raise_for_status()


async def start(box: Box, faulted: str) -> Stack:
    """Start everything but the load and the agent, for a story about the route ``faulted``.

    Raises PartFailed if a part does not start, ValueError if there is no such route.
    """
    shares, secrets = routes.shares(faulted), tokens.fresh()
    pager, legacy, *services = await _start_all(box, ("pager", "legacy", *routes.SERVICES), secrets)
    secrets |= tokens.slack_webhook(pager.url)
    by_name = dict(zip(routes.SERVICES, services, strict=True))
    urls = json.dumps({name: child.url for name, child in by_name.items()})
    arguments = ("--legacy", legacy.url, "--services", urls, "--shares", json.dumps(shares))
    gateway = await box.start("gateway", *arguments, env=secrets)
    return Stack(box=box, tokens=secrets, shares=shares, pager=pager, legacy=legacy, services=by_name, gateway=gateway)


async def _start_all(box: Box, parts: Sequence[str], env: Mapping[str, str]) -> list[Child]:
    """Start parts at the same time; a failure is raised when all are settled, so that none is left half started."""
    started: list[Child] = []
    for outcome in await asyncio.gather(*(box.start(part, env=env) for part in parts), return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
        started.append(outcome)
    return started
